/* Each function has a loop of its own: none asks which one it is. */
#define BINARY_STORES(function, second)      \
  for (int i = 0; i < bytes; i += 4 * LANES) \
  vf_store(y + i, vf_min(vf_max(function(vf_load(a + i), second), low), high))
#define BINARY_RUN(function)      \
  if (same)                       \
    BINARY_STORES(function, all); \
  else                            \
    BINARY_STORES(function, vf_load(b + i))

/* @param same  whether all lanes have the same second operand, the float at `b`. */
static inline void binary_run(int kind, const char* a, const char* b, int same, char* y, int bytes,
                              vf low, vf high) {
  float first;
  memcpy(&first, b, 4);
  const vf all = vf_set1(first);
  switch (kind) {
    case XGEN_ADD:
      BINARY_RUN(vf_add);
      break;
    case XGEN_SUB:
      BINARY_RUN(vf_sub);
      break;
    case XGEN_MUL:
      BINARY_RUN(vf_mul);
      break;
    case XGEN_DIV:
      BINARY_RUN(vf_div);
      break;
    case XGEN_MAX:
      BINARY_RUN(vf_max);
      break;
    default:
      BINARY_RUN(vf_min);
  }
}
#undef BINARY_RUN
#undef BINARY_STORES

/* Planes of one pitch: rows and the gaps between them are one run; a plane's border is written
 * afterwards. */
static void binary_f32(const xgen_binary* c, const xgen_context* ctx) {
  const int bytes = 4 * c->y.height * c->y.pitch;
  const vf low = vf_set1(c->low), high = vf_set1(c->high);
  const xgen_border border = border_of(&c->y, ctx->arena);
  for (int p = 0; p < c->y.planes; ++p) {
    const char* a = ctx->arena + c->a.data + (size_t)p * c->a.plane;
    const char* b =
        xgen_at(ctx, c->b.data) + (c->b_per_channel ? 4 * (size_t)p : (size_t)p * c->b.plane);
    char* y = ctx->arena + c->y.data + (size_t)p * c->y.plane;
    binary_run(c->kind, a, b, c->b_per_channel, y, bytes, low, high);
    if (c->activation != XGEN_LINEAR) {
      for (int i = 0; i < bytes; i += 4 * LANES)
        vf_store(y + i, vf_unary(c->activation, vf_load(y + i), c->alpha, c->beta));
    }
    write_border(border, p);
  }
}
