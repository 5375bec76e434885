static void global_pool_i8(const xgen_global_pool* c, const xgen_context* ctx) {
  uint8_t* y = (uint8_t*)ctx->arena + c->y;
  const int count = c->x.height * c->x.width;
  for (int p = 0; 4 * p < c->channels; ++p) {
    const uint32_t* x =
        (const uint32_t*)(const void*)(ctx->arena + c->x.data + (size_t)p * c->x.plane);
    int32_t sum[4] = {0, 0, 0, 0};
    for (int row = 0; row < c->x.height; ++row, x += c->x.pitch) {
      for (int i = 0; i < c->x.width; ++i) {
        const uint32_t lane = x[i] ^ XGEN_FLIP;
        for (int k = 0; k < 4; ++k) sum[k] += (int32_t)(lane >> (8 * k) & 255U);
      }
    }
    for (int k = 0; k < 4 && 4 * p + k < c->channels; ++k) {
      const float value = (float)(sum[k] - count * c->x_zero) * c->scale;
      const float low = (float)-c->zero, high = (float)(255 - c->zero);
      const float clipped = value < low ? low : value > high ? high : value;
      y[4 * p + k] = (uint8_t)((uint32_t)(c->zero + (int)lrintf(clipped)) ^ (XGEN_FLIP & 255U));
    }
  }
}
