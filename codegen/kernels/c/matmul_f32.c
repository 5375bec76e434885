static void matmul_f32(const xgen_matmul* c, const xgen_context* ctx) {
  for (int batch = 0; batch < c->batch; ++batch) {
    const float* a = (const float*)(const void*)xgen_at(ctx, c->a) + batch * c->a_batch;
    const float* b = (const float*)(const void*)xgen_at(ctx, c->b) + batch * c->b_batch;
    float* y = (float*)(void*)(ctx->arena + c->y) + (size_t)batch * (size_t)c->m * (size_t)c->n;
    for (int m = 0; m < c->m; ++m, y += c->n) {
      for (int n = 0; n < c->n; ++n) y[n] = 0;
      for (int k = 0; k < c->k; ++k) {
        const float value = a[m * c->a_m + k * c->a_k];
        const float* row = b + k * c->b_k;
        for (int n = 0; n < c->n; ++n) y[n] += value * row[n * c->b_n];
      }
    }
  }
}
