/* Clips, adds the residual, clips, applies the function, and stores one position of 16 planes. */
static void filter_conv_map_store_f32(const xgen_conv* c, const xgen_context* ctx, int g,
                                      const map_position* p, const float* sums) {
  const int count = smaller(16, c->outputs - 16 * g);
  char* y = ctx->arena + c->y.data + 16 * (size_t)g * c->y.plane + p->y;
  float added[16] = {0}, out[16];
  if (c->residual != XGEN_NONE) {
    const char* r = ctx->arena + c->residual + 16 * (size_t)g * c->residual_plane + p->residual;
    for (int f = 0; f < count; ++f) memcpy(added + f, r + (size_t)f * c->residual_plane, 4);
  }
  for (int v = 0; v < 16; v += LANES) {
    vf value = vf_min(vf_max(vf_load(sums + v), vf_set1(c->low0)), vf_set1(c->high0));
    if (c->residual != XGEN_NONE)
      value = vf_min(vf_max(vf_add(value, vf_load(added + v)), vf_set1(c->low)), vf_set1(c->high));
    vf_store(out + v, vf_unary(c->activation, value, c->alpha, c->beta));
  }
  for (int f = 0; f < count; ++f) memcpy(y + (size_t)f * c->y.plane, out + f, 4);
}

static void filter_conv_map_f32(const xgen_conv* c, const xgen_context* ctx) {
  const int32_t* begin = ctx->tables + c->begin;
  const int positions = c->y.height * c->y.width;
  for (int g = 0; g < c->groups; ++g) {
    const int from = c->shared ? 0 : begin[g], to = c->shared ? begin[1] : begin[g + 1];
    const int32_t* list = ctx->tables + c->list + from;
    const char* weights = ctx->weights + c->weights + 64 * (size_t)(c->shared ? g * to : from);
    const char* bias = ctx->weights + c->bias + 64 * (size_t)g;
    for (int first = 0; first < positions; first += 4) {
      const map_position p0 = map_position_of(c, first), p1 = map_position_of(c, first + 1),
                         p2 = map_position_of(c, first + 2), p3 = map_position_of(c, first + 3);
      const char* x = ctx->arena + c->x;
      float sums[4][16];
      for (int v = 0; v < 16; v += LANES) {
        const float* w = (const float*)(const void*)weights + v;
        vf a0 = vf_load(bias + 4 * v), a1 = a0, a2 = a0, a3 = a0;
        for (int i = 0; i < to - from; ++i, w += 16) {
          const char* at = x + list[i];
          const vf filters = vf_load(w);
          a0 = vf_fma(vf_broadcast(at + p0.x), filters, a0);
          a1 = vf_fma(vf_broadcast(at + p1.x), filters, a1);
          a2 = vf_fma(vf_broadcast(at + p2.x), filters, a2);
          a3 = vf_fma(vf_broadcast(at + p3.x), filters, a3);
        }
        vf_store(sums[0] + v, a0), vf_store(sums[1] + v, a1);
        vf_store(sums[2] + v, a2), vf_store(sums[3] + v, a3);
      }
      filter_conv_map_store_f32(c, ctx, g, &p0, sums[0]);
      if (first + 1 < positions) filter_conv_map_store_f32(c, ctx, g, &p1, sums[1]);
      if (first + 2 < positions) filter_conv_map_store_f32(c, ctx, g, &p2, sums[2]);
      if (first + 3 < positions) filter_conv_map_store_f32(c, ctx, g, &p3, sums[3]);
    }
  }
  filter_conv_map_finish(c, ctx);
}
