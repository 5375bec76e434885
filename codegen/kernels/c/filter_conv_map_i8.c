/* Requantizes, adds the residual in fixed point, and stores one position of four lanes. */
static void filter_conv_map_store_i8(const xgen_conv* c, const xgen_context* ctx, int g,
                                     const map_position* p, const int32_t* sums) {
  const int count = smaller(4, c->outputs - 4 * g);
  const char* scale = ctx->weights + c->scale + 64 * (size_t)g;
  char* y = ctx->arena + c->y.data + 4 * (size_t)g * c->y.plane + p->y;
  int32_t added[16] = {0}, out[16];
  if (c->residual != XGEN_NONE) {
    const char* r = ctx->arena + c->residual + 4 * (size_t)g * c->residual_plane + p->residual;
    for (int lane = 0; lane < count; ++lane) {
      uint32_t bytes;
      memcpy(&bytes, r + (size_t)lane * c->residual_plane, 4);
      bytes ^= XGEN_FLIP;
      for (int k = 0; k < 4; ++k) added[4 * lane + k] = (int32_t)(bytes >> (8 * k) & 255U);
    }
  }
  for (int v = 0; v < 16; v += LANES) {
    vi q =
        requantize(vi_load(sums + v), vf_load(scale + 4 * v), vf_set1(c->low0), vf_set1(c->high0));
    if (c->residual != XGEN_NONE) q = add_residual(c, q, vi_load(added + v));
    vi_store(out + v, vi_add(q, vi_set1(c->zero)));
  }
  for (int lane = 0; lane < count; ++lane) {
    uint32_t bytes = 0;
    for (int k = 0; k < 4; ++k) bytes |= ((uint32_t)out[4 * lane + k] & 255U) << (8 * k);
    bytes ^= XGEN_FLIP;
    memcpy(y + (size_t)lane * c->y.plane, &bytes, 4);
  }
}

static void filter_conv_map_i8(const xgen_conv* c, const xgen_context* ctx) {
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
      int32_t sums[4][16];
      for (int v = 0; v < 16; v += LANES) {
        const char* w = weights + 4 * v;
        vi a0 = vi_load(bias + 4 * v), a1 = a0, a2 = a0, a3 = a0;
        for (int i = 0; i < to - from; ++i, w += 64) {
          const char* at = x + list[i];
          const vw filters = vw_load(w);
          a0 = vi_dot(a0, vx_broadcast(at + p0.x), filters);
          a1 = vi_dot(a1, vx_broadcast(at + p1.x), filters);
          a2 = vi_dot(a2, vx_broadcast(at + p2.x), filters);
          a3 = vi_dot(a3, vx_broadcast(at + p3.x), filters);
        }
        vi_store(sums[0] + v, a0), vi_store(sums[1] + v, a1);
        vi_store(sums[2] + v, a2), vi_store(sums[3] + v, a3);
      }
      filter_conv_map_store_i8(c, ctx, g, &p0, sums[0]);
      if (first + 1 < positions) filter_conv_map_store_i8(c, ctx, g, &p1, sums[1]);
      if (first + 2 < positions) filter_conv_map_store_i8(c, ctx, g, &p2, sums[2]);
      if (first + 3 < positions) filter_conv_map_store_i8(c, ctx, g, &p3, sums[3]);
    }
  }
  filter_conv_map_finish(c, ctx);
}
