/* Depthwise 3x3 convolution: down a column of vectors, each input row is loaded once for all
 * results that read it. Sums run over the taps in their order. */

/* The three vectors that a row of windows reads: three loads for nine products. */
#define WINDOW_ROW(name, row)                                                                      \
  const vf name##0 = vf_in_register(vf_load(row)), name##1 = vf_in_register(vf_load((row) + at1)), \
           name##2 = vf_in_register(vf_load((row) + at2))
#define ROW_SUM(name, w0, w1, w2, sum) \
  vf_fma(name##2, w2, vf_fma(name##1, w1, vf_fma(name##0, w0, (sum))))

/* A column of vectors: where it starts in x, y and the residual, and what is between rows. */
typedef struct {
  const char* x;
  ptrdiff_t x_row;
  char* y;
  const char* residual;
} depthwise_column;

/* Not inlined: functions are long, and most layers have none. */
static vf depthwise_function(const xgen_conv* c, vf v) __attribute__((noinline));
static vf depthwise_function(const xgen_conv* c, vf v) {
  return vf_unary(c->activation, v, c->alpha, c->beta);
}

static inline void depthwise_store(const xgen_conv* c, const depthwise_column* to, int row,
                                   vf sum) {
  vf v = vf_min(vf_max(sum, vf_set1(c->low0)), vf_set1(c->high0));
  if (to->residual != NULL) {
    const vf r = vf_load(to->residual + row * c->residual_row);
    v = vf_min(vf_max(vf_add(v, r), vf_set1(c->low)), vf_set1(c->high));
  }
  if (c->activation != XGEN_LINEAR) v = depthwise_function(c, v);
  vf_store(to->y + 4 * (ptrdiff_t)row * c->y.pitch, v);
}

/* `at`: bytes from the first column of a window to the others. */
static inline void depthwise_rows(const xgen_conv* c, const depthwise_column* to, ptrdiff_t at1,
                                  ptrdiff_t at2, const float* w, float bias) {
  const vf w0 = vf_set1(w[0]), w1 = vf_set1(w[1]), w2 = vf_set1(w[2]), w3 = vf_set1(w[3]),
           w4 = vf_set1(w[4]), w5 = vf_set1(w[5]), w6 = vf_set1(w[6]), w7 = vf_set1(w[7]),
           w8 = vf_set1(w[8]), start = vf_set1(bias);
  const ptrdiff_t row = to->x_row;
  const char* x = to->x;
  WINDOW_ROW(a, x);
  vf next = ROW_SUM(a, w0, w1, w2, start); /* the first row of the result that follows */
  if (c->x_row == 2 * row) {
    for (int i = 0; i < c->y.height; ++i, x += 2 * row) {
      WINDOW_ROW(b, x + row);
      WINDOW_ROW(d, x + 2 * row);
      const vf sum = ROW_SUM(b, w3, w4, w5, next);
      next = ROW_SUM(d, w0, w1, w2, start);
      depthwise_store(c, to, i, ROW_SUM(d, w6, w7, w8, sum));
    }
    return;
  }
  x += row;
  WINDOW_ROW(b, x);
  vf last = ROW_SUM(b, w3, w4, w5, next); /* two rows of the next result */
  next = ROW_SUM(b, w0, w1, w2, start);
  for (int i = 0; i < c->y.height; ++i) {
    x += row;
    WINDOW_ROW(d, x);
    const vf sum = ROW_SUM(d, w6, w7, w8, last);
    last = ROW_SUM(d, w3, w4, w5, next);
    next = ROW_SUM(d, w0, w1, w2, start);
    depthwise_store(c, to, i, sum);
  }
}

/* The last vector of a row ends where the row ends; rows narrower than a vector overrun into what
 * is written next. */
static void depthwise_f32(const xgen_conv* c, const xgen_context* ctx) {
  const int32_t* taps = ctx->tables + c->list;
  const int most = larger(0, c->y.width - LANES);
  const xgen_border border = border_of(&c->y, ctx->arena);
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
      depthwise_rows(c, &to, taps[1] - taps[0], taps[2] - taps[0], weights, bias);
    }
    write_border(border, g);
  }
  if (c->split.data != XGEN_NONE) split_phases(&c->y, &c->split, ctx->arena);
}
#undef WINDOW_ROW
#undef ROW_SUM
