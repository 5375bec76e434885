/* One lane of four inputs, broadcast, times the weights of 16 filters. */
static inline void filter_conv_i8_entry(vi* sums, const char* x, const char* w) {
  const vx value = vx_broadcast(x);
  for (int v = 0; v < 16 / LANES; ++v) sums[v] = vi_dot(sums[v], value, vw_load(w + 4 * v * LANES));
}

/* 16 filters a group, one position. */
static void filter_conv_i8_accumulate(const xgen_filter_conv* c, const xgen_context* ctx, int g,
                                      int32_t* sums) {
  const int32_t* begin = ctx->tables + c->begin;
  const char* x = ctx->arena + c->x;
  enum { VECTORS = 16 / LANES };
  const int from = c->shared ? 0 : begin[g], to = c->shared ? begin[1] : begin[g + 1];
  const int32_t* list = ctx->tables + c->list + from;
  const char* w = ctx->weights + c->weights + 64 * (size_t)(c->shared ? g * to : from);
  const char* bias = ctx->weights + c->bias + 64 * (size_t)g;
  vi a[VECTORS], b[VECTORS], d[VECTORS], e[VECTORS]; /* four chains, so that products overlap */
  for (int v = 0; v < VECTORS; ++v) {
    a[v] = vi_load(bias + 4 * v * LANES);
    b[v] = d[v] = e[v] = vi_set1(0);
  }
  int i = 0;
  for (; i + 3 < to - from; i += 4, w += 256) {
    filter_conv_i8_entry(a, x + list[i], w);
    filter_conv_i8_entry(b, x + list[i + 1], w + 64);
    filter_conv_i8_entry(d, x + list[i + 2], w + 128);
    filter_conv_i8_entry(e, x + list[i + 3], w + 192);
  }
  for (; i < to - from; ++i, w += 64) filter_conv_i8_entry(a, x + list[i], w);
  for (int v = 0; v < VECTORS; ++v)
    vi_store(sums + v * LANES, vi_add(vi_add(a[v], b[v]), vi_add(d[v], e[v])));
}

static void filter_conv_i8(const xgen_filter_conv* c, const xgen_context* ctx) {
  for (int g = 0; g < c->groups; ++g) {
    int32_t sums[16];
    filter_conv_i8_accumulate(c, ctx, g, sums);
    const char* scale = ctx->weights + c->scale + 64 * (size_t)g;
    for (int v = 0; v < 16 / LANES; ++v) {
      vi_store(sums + v * LANES,
               requantize(vi_load(sums + v * LANES), vf_load(scale + 4 * v * LANES),
                          vf_set1(c->low), vf_set1(c->high)));
    }
    uint8_t* y = (uint8_t*)ctx->arena + c->y + 16 * (size_t)g;
    const int count = smaller(16, c->outputs - 16 * g);
    for (int i = 0; i < count; ++i)
      y[i] = (uint8_t)((uint32_t)(sums[i] + c->zero) ^ (XGEN_FLIP & 255U));
  }
}

static void filter_conv_i8_f32(const xgen_filter_conv* c, const xgen_context* ctx) {
  for (int g = 0; g < c->groups; ++g) {
    int32_t sums[16];
    float out[16];
    filter_conv_i8_accumulate(c, ctx, g, sums);
    const char* scale = ctx->weights + c->scale + 64 * (size_t)g;
    for (int v = 0; v < 16 / LANES; ++v) {
      const vf value = vf_mul(vi_to_f(vi_load(sums + v * LANES)), vf_load(scale + 4 * v * LANES));
      vf_store(out + v * LANES, vf_min(vf_max(value, vf_set1(c->low)), vf_set1(c->high)));
    }
    memcpy(ctx->arena + c->y + 64 * (size_t)g, out, 4 * (size_t)smaller(16, c->outputs - 16 * g));
  }
}
