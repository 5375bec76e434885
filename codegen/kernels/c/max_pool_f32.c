POOL_INLINE vi max_f32(const xgen_pool* c, const pool_windows* w, int stride, int second) {
  return max_of_windows(c, w, stride, second, 0, vf_as_i(vf_set1(-INFINITY)));
}
static void max_pool_f32(const xgen_pool* c, const xgen_context* ctx) {
  pool_planes(c, ctx, max_f32);
}
