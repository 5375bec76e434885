static void map_f32(const xgen_map* c, const xgen_context* ctx) {
  const float* x = (const float*)(const void*)(ctx->arena + c->x);
  float* y = (float*)(void*)(ctx->arena + c->y);
  int i = 0;
  for (; i + LANES <= c->count; i += LANES) {
    const vf v = vf_min(vf_max(vf_load(x + i), vf_set1(c->low)), vf_set1(c->high));
    vf_store(y + i, vf_unary(c->kind, v, c->alpha, c->beta));
  }
  if (i < c->count) {
    float rest[LANES] = {0};
    memcpy(rest, x + i, 4 * (size_t)(c->count - i));
    const vf v = vf_min(vf_max(vf_load(rest), vf_set1(c->low)), vf_set1(c->high));
    vf_store(rest, vf_unary(c->kind, v, c->alpha, c->beta));
    memcpy(y + i, rest, 4 * (size_t)(c->count - i));
  }
}
