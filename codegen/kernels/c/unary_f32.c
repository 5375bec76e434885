static void unary_f32(const xgen_unary* c, const xgen_context* ctx) {
  const int bytes = 4 * c->y.height * c->y.pitch;
  const vf low = vf_set1(c->low), high = vf_set1(c->high);
  const xgen_border border = border_of(&c->y, ctx->arena);
  for (int p = 0; p < c->y.planes; ++p) {
    const char* x = ctx->arena + c->x.data + (size_t)p * c->x.plane;
    char* y = ctx->arena + c->y.data + (size_t)p * c->y.plane;
    for (int i = 0; i < bytes; i += 4 * LANES) {
      vf_store(y + i,
               vf_unary(c->kind, vf_min(vf_max(vf_load(x + i), low), high), c->alpha, c->beta));
    }
    write_border(border, p);
  }
}
