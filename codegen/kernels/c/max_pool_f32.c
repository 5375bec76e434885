static void max_pool_f32(const xgen_pool* c, const xgen_context* ctx) {
  max_pool(c, ctx, 0, vf_as_i(vf_set1(-INFINITY)));
}
