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

typedef struct {
  vf of[4];
} map_sums_f32;

static inline void map_products_f32(map_sums_f32* sums, const char* x, const map_position* p,
                                    vf filters) {
  sums->of[0] = vf_fma(vf_broadcast(x + p[0].x), filters, sums->of[0]);
  sums->of[1] = vf_fma(vf_broadcast(x + p[1].x), filters, sums->of[1]);
  sums->of[2] = vf_fma(vf_broadcast(x + p[2].x), filters, sums->of[2]);
  sums->of[3] = vf_fma(vf_broadcast(x + p[3].x), filters, sums->of[3]);
}

/* `count` positions of 16 filters, 4 or 8, from the list of their inputs. */
static inline void filter_conv_map_pass_f32(const xgen_conv* c, const xgen_context* ctx, int g,
                                            int first, const int count, const int32_t* list,
                                            int entries, const char* weights) {
  const char* x = ctx->arena + c->x;
  map_position p[8];
  float sums[8][16];
  for (int k = 0; k < count; ++k) p[k] = map_position_of(c, first + k);
  for (int v = 0; v < 16; v += LANES) {
    const float* w = (const float*)(const void*)weights + v;
    const vf bias = vf_load(ctx->weights + c->bias + 64 * (size_t)g + 4 * v);
    map_sums_f32 a = {{bias, bias, bias, bias}}, b = a;
    for (int i = 0; i < entries; ++i, w += 16) {
      const vf filters = vf_load(w);
      ask_ahead(w);
      map_products_f32(&a, x + list[i], p, filters);
      if (count == 8) map_products_f32(&b, x + list[i], p + 4, filters);
    }
    for (int k = 0; k < 4; ++k) vf_store(sums[k] + v, a.of[k]);
    for (int k = 4; k < count; ++k) vf_store(sums[k] + v, b.of[k - 4]);
  }
  const int left = smaller(count, c->y.height * c->y.width - first);
  for (int k = 0; k < left; ++k) filter_conv_map_store_f32(c, ctx, g, p + k, sums[k]);
}

static void filter_conv_map_f32(const xgen_conv* c, const xgen_context* ctx) {
  const int32_t* begin = ctx->tables + c->begin;
  const int positions = c->y.height * c->y.width;
  for (int g = 0; g < c->groups; ++g) {
    const int from = c->shared ? 0 : begin[g], to = c->shared ? begin[1] : begin[g + 1];
    const int32_t* list = ctx->tables + c->list + from;
    const char* weights = ctx->weights + c->weights + 64 * (size_t)(c->shared ? g * to : from);
    int first = 0;
    for (; first + 4 < positions; first += 8)
      filter_conv_map_pass_f32(c, ctx, g, first, 8, list, to - from, weights);
    if (first < positions) filter_conv_map_pass_f32(c, ctx, g, first, 4, list, to - from, weights);
  }
  filter_conv_map_finish(c, ctx);
}
