/* One input value, broadcast, times the weights of 16 filters. */
static inline void filter_conv_f32_entry(vf* sums, const char* x, const float* w) {
  float value;
  memcpy(&value, x, 4);
  for (int v = 0; v < 16 / LANES; ++v)
    sums[v] = vf_fma(vf_set1(value), vf_load(w + v * LANES), sums[v]);
}

/* 16 filters a group, one position. */
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
    vf a[VECTORS], b[VECTORS], d[VECTORS], e[VECTORS]; /* four chains, so that products overlap */
    for (int v = 0; v < VECTORS; ++v) {
      a[v] = vf_load(bias + v * LANES);
      b[v] = d[v] = e[v] = vf_set1(0.0f);
    }
    int i = 0;
    for (; i + 3 < to - from; i += 4, w += 64) {
      filter_conv_f32_entry(a, x + list[i], w);
      filter_conv_f32_entry(b, x + list[i + 1], w + 16);
      filter_conv_f32_entry(d, x + list[i + 2], w + 32);
      filter_conv_f32_entry(e, x + list[i + 3], w + 48);
    }
    for (; i < to - from; ++i, w += 16) filter_conv_f32_entry(a, x + list[i], w);
    float out[16];
    for (int v = 0; v < VECTORS; ++v) {
      const vf value =
          vf_min(vf_max(vf_add(vf_add(a[v], b[v]), vf_add(d[v], e[v])), vf_set1(c->low)),
                 vf_set1(c->high));
      vf_store(out + v * LANES, vf_unary(c->activation, value, c->alpha, c->beta));
    }
    memcpy(ctx->arena + c->y + 64 * (size_t)g, out, 4 * (size_t)smaller(16, c->outputs - 16 * g));
  }
}
