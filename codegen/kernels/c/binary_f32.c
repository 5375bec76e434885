static inline vf vf_binary(int kind, vf a, vf b) {
  switch (kind) {
    case XGEN_ADD:
      return vf_add(a, b);
    case XGEN_SUB:
      return vf_sub(a, b);
    case XGEN_MUL:
      return vf_mul(a, b);
    case XGEN_DIV:
      return vf_div(a, b);
    case XGEN_MAX:
      return vf_max(a, b);
    default:
      return vf_min(a, b);
  }
}

/* Planes of one pitch: rows and the gaps between them are one run; the borders are written
 * afterwards. */
static void binary_f32(const xgen_binary* c, const xgen_context* ctx) {
  const int lanes = c->y.height * c->y.pitch;
  const vf low = vf_set1(c->low), high = vf_set1(c->high);
  for (int p = 0; p < c->y.planes; ++p) {
    const char* a = ctx->arena + c->a.data + (size_t)p * c->a.plane;
    const char* b =
        xgen_at(ctx, c->b.data) + (c->b_per_channel ? 4 * (size_t)p : (size_t)p * c->b.plane);
    char* y = ctx->arena + c->y.data + (size_t)p * c->y.plane;
    float one = 0;
    if (c->b_per_channel) memcpy(&one, b, 4);
    for (int i = 0; i < 4 * lanes; i += 4 * LANES) {
      const vf right = c->b_per_channel ? vf_set1(one) : vf_load(b + i);
      const vf v = vf_min(vf_max(vf_binary(c->kind, vf_load(a + i), right), low), high);
      vf_store(y + i, vf_unary(c->activation, v, c->alpha, c->beta));
    }
  }
  write_borders(&c->y, ctx->arena, 0, c->y.planes);
}
