static void global_pool_f32(const xgen_global_pool* c, const xgen_context* ctx) {
  float* y = (float*)(void*)(ctx->arena + c->y);
  for (int p = 0; p < c->channels; ++p) {
    const float* x = (const float*)(const void*)(ctx->arena + c->x.data + (size_t)p * c->x.plane);
    vf sum = vf_set1(0.0f);
    float a = 0, b = 0, d = 0, e = 0; /* four chains, so that additions overlap */
    for (int row = 0; row < c->x.height; ++row, x += c->x.pitch) {
      int i = 0;
      for (; i + LANES <= c->x.width; i += LANES) sum = vf_add(sum, vf_load(x + i));
      for (; i + 4 <= c->x.width; i += 4) {
        a += x[i];
        b += x[i + 1];
        d += x[i + 2];
        e += x[i + 3];
      }
      if (i < c->x.width) a += x[i];
      if (i + 1 < c->x.width) b += x[i + 1];
      if (i + 2 < c->x.width) d += x[i + 2];
    }
    float lanes[LANES], rest = (a + b) + (d + e);
    vf_store(lanes, sum);
    for (int i = 0; i < LANES; ++i) rest += lanes[i];
    y[p] = rest * c->scale;
  }
}
