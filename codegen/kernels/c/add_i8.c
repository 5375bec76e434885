/* Addition in fixed point: both operands in 2^-16 steps of the result. */
static void add_i8(const xgen_binary* c, const xgen_context* ctx) {
  const int bytes = 4 * c->y.height * c->y.pitch;
  const vi flip = vi_set1((int32_t)XGEN_FLIP), zero = vi_set1(c->zero);
  const xgen_border border = border_of(&c->y, ctx->arena);
  for (int p = 0; p < c->y.planes; ++p) {
    const char* a = ctx->arena + c->a.data + (size_t)p * c->a.plane;
    const char* b = ctx->arena + c->b.data + (size_t)p * c->b.plane;
    char* y = ctx->arena + c->y.data + (size_t)p * c->y.plane;
    for (int i = 0; i < bytes; i += 4 * LANES) {
      const vi left = vi_xor(vi_load(a + i), flip), right = vi_xor(vi_load(b + i), flip);
      vi q[4];
      for (int k = 0; k < 4; ++k) {
        const vi s = add_fixed_point(vi_sub(vi_byte(left, k), vi_set1(c->a_zero)),
                                     vi_sub(vi_byte(right, k), vi_set1(c->b_zero)), c->add0,
                                     c->add1, (int)c->low, (int)c->high);
        q[k] = vi_add(s, zero);
      }
      vi_store(y + i, vi_xor(vi_pack4(q[0], q[1], q[2], q[3]), flip));
    }
    write_border(border, p);
  }
}
