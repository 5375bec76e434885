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

typedef struct {
  vi of[4];
} map_sums_i8;

static inline void map_products_i8(map_sums_i8* sums, const char* x, const map_position* p,
                                   vw filters) {
  sums->of[0] = vi_dot(sums->of[0], vx_broadcast(x + p[0].x), filters);
  sums->of[1] = vi_dot(sums->of[1], vx_broadcast(x + p[1].x), filters);
  sums->of[2] = vi_dot(sums->of[2], vx_broadcast(x + p[2].x), filters);
  sums->of[3] = vi_dot(sums->of[3], vx_broadcast(x + p[3].x), filters);
}

/* `count` positions of 16 filters, 4 or 8, from the list of their inputs. */
static inline void filter_conv_map_pass_i8(const xgen_conv* c, const xgen_context* ctx, int g,
                                           int first, const int count, const int32_t* list,
                                           int entries, const char* weights) {
  const char* x = ctx->arena + c->x;
  map_position p[8];
  int32_t sums[8][16];
  for (int k = 0; k < count; ++k) p[k] = map_position_of(c, first + k);
  for (int v = 0; v < 16; v += LANES) {
    const char* w = weights + 4 * v;
    const vi bias = vi_load(ctx->weights + c->bias + 64 * (size_t)g + 4 * v);
    map_sums_i8 a = {{bias, bias, bias, bias}}, b = a;
    for (int i = 0; i < entries; ++i, w += 64) {
      const vw filters = vw_load(w);
      ask_ahead(w);
      map_products_i8(&a, x + list[i], p, filters);
      if (count == 8) map_products_i8(&b, x + list[i], p + 4, filters);
    }
    for (int k = 0; k < 4; ++k) vi_store(sums[k] + v, a.of[k]);
    for (int k = 4; k < count; ++k) vi_store(sums[k] + v, b.of[k - 4]);
  }
  const int left = smaller(count, c->y.height * c->y.width - first);
  for (int k = 0; k < left; ++k) filter_conv_map_store_i8(c, ctx, g, p + k, sums[k]);
}

static void filter_conv_map_i8(const xgen_conv* c, const xgen_context* ctx) {
  const int32_t* begin = ctx->tables + c->begin;
  const int positions = c->y.height * c->y.width;
  for (int g = 0; g < c->groups; ++g) {
    const int from = c->shared ? 0 : begin[g], to = c->shared ? begin[1] : begin[g + 1];
    const int32_t* list = ctx->tables + c->list + from;
    const char* weights = ctx->weights + c->weights + 64 * (size_t)(c->shared ? g * to : from);
    int first = 0;
    for (; first + 4 < positions; first += 8)
      filter_conv_map_pass_i8(c, ctx, g, first, 8, list, to - from, weights);
    if (first < positions) filter_conv_map_pass_i8(c, ctx, g, first, 4, list, to - from, weights);
  }
  filter_conv_map_finish(c, ctx);
}
