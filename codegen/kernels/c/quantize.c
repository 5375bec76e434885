static inline uint8_t quantize_one(float value, float scale, int zero) {
  const float v = value / scale, low = (float)-zero, high = (float)(255 - zero);
  const float clipped = v < low    ? low
                        : v > high ? high
                        : v == v   ? v
                                   : 0.0f; /* NaN gives the zero point */
  return (uint8_t)((uint32_t)(zero + (int)lrintf(clipped)) ^ (XGEN_FLIP & 255U));
}

/* fp32 <-> u8, row major. */
static void quantize(const xgen_quantize* c, const xgen_context* ctx) {
  float* f = (float*)(void*)(ctx->arena + (c->dequantize ? c->y : c->x));
  uint8_t* q = (uint8_t*)ctx->arena + (c->dequantize ? c->x : c->y);
  if (c->dequantize) {
    for (int i = 0; i < c->count; ++i)
      f[i] = (float)((int32_t)(q[i] ^ (XGEN_FLIP & 255U)) - c->zero) * c->scale;
  } else {
    for (int i = 0; i < c->count; ++i) q[i] = quantize_one(f[i], c->scale, c->zero);
  }
}
