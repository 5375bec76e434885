static void max_pool_i8(const xgen_pool* c, const xgen_context* ctx) {
  max_pool(c, ctx, 1, vi_set1((int32_t)XGEN_FLIP)); /* u8 zero */
}
