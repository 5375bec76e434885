/* Transpose, Slice, Concat, Pad, Expand: one strided copy. */
static void move(const xgen_move* c, const xgen_context* ctx) {
  const char* x = xgen_at(ctx, c->x) + c->x_start * c->size;
  char* y = ctx->arena + c->y + c->y_start * c->size;
  int32_t index[XGEN_MAX_RANK] = {0};
  const int last = c->rank - 1, inner = c->extent[last];
  const ptrdiff_t xs = c->x_stride[last] * c->size, ys = c->y_stride[last] * c->size;
  for (;;) {
    const char* from = x;
    char* to = y;
    for (int d = 0; d < last; ++d) {
      from += index[d] * c->x_stride[d] * c->size;
      to += index[d] * c->y_stride[d] * c->size;
    }
    if (xs == c->size && ys == c->size) {
      memcpy(to, from, (size_t)inner * (size_t)c->size);
    } else if (c->size == 4) {
      for (int i = 0; i < inner; ++i) memcpy(to + i * ys, from + i * xs, 4);
    } else {
      for (int i = 0; i < inner; ++i) memcpy(to + i * ys, from + i * xs, (size_t)c->size);
    }
    int d = last - 1;
    for (; d >= 0 && ++index[d] == c->extent[d]; --d) index[d] = 0;
    if (d < 0) return;
  }
}
