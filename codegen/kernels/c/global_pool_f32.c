static void global_pool_f32(const xgen_global_pool* c, const xgen_context* ctx) {
  float* y = (float*)(void*)(ctx->arena + c->y);
  for (int p = 0; p < c->channels; ++p) {
    const float* x = (const float*)(const void*)(ctx->arena + c->x.data + (size_t)p * c->x.plane);
    vf sum = vf_set1(0.0f);
    float rest = 0;
    for (int row = 0; row < c->x.height; ++row, x += c->x.pitch) {
      int i = 0;
      for (; i + LANES <= c->x.width; i += LANES) sum = vf_add(sum, vf_load(x + i));
      for (; i < c->x.width; ++i) rest += x[i];
    }
    float lanes[LANES];
    vf_store(lanes, sum);
    for (int i = 0; i < LANES; ++i) rest += lanes[i];
    y[p] = rest * c->scale;
  }
}
