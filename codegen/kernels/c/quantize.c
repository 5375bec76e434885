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
