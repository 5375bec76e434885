/* Depthwise 3x3 convolution: down a column of vectors, each input row is loaded once for all results
 * that read it. Sums run over the taps in their order. */

/* Row `row` of the window times a row of weights, added to `sum`. */
#define ROW_SUM(row, w0, w1, w2, sum)                                                \
  vf_fma(vf_load((row) + at2), w2,                                                   \
         vf_fma(vf_load((row) + at1), w1, vf_fma(vf_load((row) + at0), w0, (sum))))

/* A column of vectors: where it starts in x, y and the residual, and what is between rows. */
typedef struct {
  const char* x;
  ptrdiff_t x_row;
  char* y;
  const char* residual;
} depthwise_column;

static inline void depthwise_store(const xgen_conv* c, const depthwise_column* to, int row, vf sum) {
  vf v = vf_min(vf_max(sum, vf_set1(c->low0)), vf_set1(c->high0));
  if (to->residual != NULL) {
    const vf r = vf_load(to->residual + row * c->residual_row);
    v = vf_min(vf_max(vf_add(v, r), vf_set1(c->low)), vf_set1(c->high));
  }
  vf_store(to->y + 4 * (ptrdiff_t)row * c->y.pitch, vf_unary(c->activation, v, c->alpha, c->beta));
}

/* `at`: bytes from a row's first position to the three columns of the window. */
static inline void depthwise_rows(const xgen_conv* c, const depthwise_column* to, ptrdiff_t at0,
                                  ptrdiff_t at1, ptrdiff_t at2, const float* w, float bias) {
  const vf w0 = vf_set1(w[0]), w1 = vf_set1(w[1]), w2 = vf_set1(w[2]), w3 = vf_set1(w[3]),
           w4 = vf_set1(w[4]), w5 = vf_set1(w[5]), w6 = vf_set1(w[6]), w7 = vf_set1(w[7]),
           w8 = vf_set1(w[8]), start = vf_set1(bias);
  const ptrdiff_t row = to->x_row;
  const char* x = to->x;
  vf next = ROW_SUM(x, w0, w1, w2, start); /* the first row of the result that follows */
  if (c->x_row == 2 * row) {
    for (int i = 0; i < c->y.height; ++i, x += 2 * row) {
      const vf sum = ROW_SUM(x + row, w3, w4, w5, next);
      depthwise_store(c, to, i, ROW_SUM(x + 2 * row, w6, w7, w8, sum));
      next = ROW_SUM(x + 2 * row, w0, w1, w2, start);
    }
    return;
  }
  x += row;
  vf last = ROW_SUM(x, w3, w4, w5, next); /* two rows of the next result */
  next = ROW_SUM(x, w0, w1, w2, start);
  for (int i = 0; i < c->y.height; ++i) {
    x += row;
    depthwise_store(c, to, i, ROW_SUM(x, w6, w7, w8, last));
    last = ROW_SUM(x, w3, w4, w5, next);
    next = ROW_SUM(x, w0, w1, w2, start);
  }
}

/* The last vector of a row ends where the row ends; rows narrower than a vector overrun into what is
 * written next. */
static void depthwise_f32(const xgen_conv* c, const xgen_context* ctx) {
  const int32_t* taps = ctx->tables + c->list;
  const int most = larger(0, c->y.width - LANES);
  for (int g = 0; g < c->groups; ++g) {
    const float* weights = (const float*)(const void*)(ctx->weights + c->weights) + 9 * g;
    const float bias = ((const float*)(const void*)(ctx->weights + c->bias))[g];
    for (int first = 0; first < c->y.width; first += LANES) {
      const ptrdiff_t column = 4 * (ptrdiff_t)smaller(first, most);
      const depthwise_column to = {
          ctx->arena + c->x + (size_t)g * c->x_group + taps[0] + column, taps[3] - taps[0],
          ctx->arena + c->y.data + (size_t)g * c->y.plane + column,
          c->residual == XGEN_NONE
              ? NULL
              : ctx->arena + c->residual + (size_t)g * c->residual_plane + column};
      depthwise_rows(c, &to, 0, taps[1] - taps[0], taps[2] - taps[0], weights, bias);
    }
  }
  write_borders(&c->y, ctx->arena, 0, c->outputs);
  if (c->split.data != XGEN_NONE) split_phases(&c->y, &c->split, ctx->arena);
}
#undef ROW_SUM
