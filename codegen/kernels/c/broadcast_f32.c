static inline float scalar_binary(int kind, float a, float b) {
  switch (kind) {
    case XGEN_ADD:
      return a + b;
    case XGEN_SUB:
      return a - b;
    case XGEN_MUL:
      return a * b;
    case XGEN_DIV:
      return a / b;
    case XGEN_MAX:
      return a > b ? a : b;
    case XGEN_MIN:
      return a < b ? a : b;
    default:
      return powf(a, b);
  }
}

/* Row-major operands with numpy's broadcasting: a stride of 0 repeats. */
static void broadcast_f32(const xgen_broadcast* c, const xgen_context* ctx) {
  float* y = (float*)(void*)(ctx->arena + c->y);
  int32_t index[XGEN_MAX_RANK] = {0};
  const int last = c->rank - 1;
  for (;;) {
    const float* a = (const float*)(const void*)xgen_at(ctx, c->a);
    const float* b = (const float*)(const void*)xgen_at(ctx, c->b);
    for (int d = 0; d < last; ++d) {
      a += index[d] * c->a_stride[d];
      b += index[d] * c->b_stride[d];
    }
    for (int i = 0; i < c->extent[last]; ++i)
      *y++ = scalar_binary(c->kind, a[i * c->a_stride[last]], b[i * c->b_stride[last]]);
    int d = last - 1;
    for (; d >= 0 && ++index[d] == c->extent[d]; --d) index[d] = 0;
    if (d < 0) return;
  }
}
