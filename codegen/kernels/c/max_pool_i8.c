POOL_INLINE vi max_i8(const xgen_pool* c, const pool_windows* w, int stride, int second) {
  return max_of_windows(c, w, stride, second, 1, vi_set1((int32_t)XGEN_FLIP)); /* u8 zero */
}
static void max_pool_i8(const xgen_pool* c, const xgen_context* ctx) {
  pool_planes(c, ctx, max_i8);
}
