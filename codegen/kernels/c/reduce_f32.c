static void reduce_f32(const xgen_axis* c, const xgen_context* ctx) {
  float* y = (float*)(void*)(ctx->arena + c->y);
  for (int o = 0; o < c->outer; ++o) {
    for (int i = 0; i < c->inner; ++i) {
      const float* x = (const float*)(const void*)(ctx->arena + c->x) +
                       (size_t)o * (size_t)c->axis * (size_t)c->inner + (size_t)i;
      float value = c->kind == 2 ? x[0] : 0;
      for (int k = 0; k < c->axis; ++k) {
        const float v = x[(size_t)k * (size_t)c->inner];
        value = c->kind == 2 ? (v > value ? v : value) : value + v;
      }
      *y++ = c->kind == 0 ? value / (float)c->axis : value;
    }
  }
}
