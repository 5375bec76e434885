/* 16 filters a group, one position: each input value is broadcast to all of them. */
static void filter_conv_f32(const xgen_filter_conv* c, const xgen_context* ctx) {
  const int32_t* begin = ctx->tables + c->begin;
  const char* x = ctx->arena + c->x;
  enum { VECTORS = 16 / LANES };
  for (int g = 0; g < c->groups; ++g) {
    const int from = c->shared ? 0 : begin[g], to = c->shared ? begin[1] : begin[g + 1];
    const int32_t* list = ctx->tables + c->list + from;
    const float* w = (const float*)(const void*)(ctx->weights + c->weights) +
                     16 * (size_t)(c->shared ? g * to : from);
    const float* bias = (const float*)(const void*)(ctx->weights + c->bias) + 16 * g;
    vf a[VECTORS], b[VECTORS]; /* two chains, so that additions overlap */
    for (int v = 0; v < VECTORS; ++v) a[v] = vf_load(bias + v * LANES), b[v] = vf_set1(0.0f);
    int i = 0;
    for (; i + 1 < to - from; i += 2, w += 32) {
      float p, q;
      memcpy(&p, x + list[i], 4);
      memcpy(&q, x + list[i + 1], 4);
      for (int v = 0; v < VECTORS; ++v) a[v] = vf_fma(vf_set1(p), vf_load(w + v * LANES), a[v]);
      for (int v = 0; v < VECTORS; ++v)
        b[v] = vf_fma(vf_set1(q), vf_load(w + 16 + v * LANES), b[v]);
    }
    if (i < to - from) {
      float p;
      memcpy(&p, x + list[i], 4);
      for (int v = 0; v < VECTORS; ++v) a[v] = vf_fma(vf_set1(p), vf_load(w + v * LANES), a[v]);
    }
    float out[16];
    for (int v = 0; v < VECTORS; ++v) {
      const vf value = vf_min(vf_max(vf_add(a[v], b[v]), vf_set1(c->low)), vf_set1(c->high));
      vf_store(out + v * LANES, vf_unary(c->activation, value, c->alpha, c->beta));
    }
    memcpy(ctx->arena + c->y + 64 * (size_t)g, out, 4 * (size_t)smaller(16, c->outputs - 16 * g));
  }
}
