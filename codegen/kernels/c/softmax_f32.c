static void softmax_f32(const xgen_axis* c, const xgen_context* ctx) {
  for (int o = 0; o < c->outer; ++o) {
    for (int i = 0; i < c->inner; ++i) {
      const size_t start = (size_t)o * (size_t)c->axis * (size_t)c->inner + (size_t)i,
                   step = (size_t)c->inner;
      const float* x = (const float*)(const void*)(ctx->arena + c->x) + start;
      float* y = (float*)(void*)(ctx->arena + c->y) + start;
      float most = x[0], sum = 0;
      for (int k = 1; k < c->axis; ++k)
        most = x[(size_t)k * step] > most ? x[(size_t)k * step] : most;
      for (int k = 0; k < c->axis; ++k)
        sum += y[(size_t)k * step] = expf(x[(size_t)k * step] - most);
      for (int k = 0; k < c->axis; ++k) y[(size_t)k * step] /= sum;
    }
  }
}
