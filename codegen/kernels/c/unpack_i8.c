/* To row-major fp32 (dequantizing) or u8. */
static void unpack_i8(const xgen_pack* c, const xgen_context* ctx, void* external) {
  char* to = (char*)(c->flat == XGEN_NONE ? external : ctx->arena + c->flat);
  size_t at = 0;
  for (int channel = 0; channel < c->channels; ++channel) {
    const uint8_t* plane =
        (const uint8_t*)ctx->arena + ctx->tables[c->channel + channel] + c->planes.data;
    for (int y = 0; y < c->planes.height; ++y, plane += 4 * (ptrdiff_t)c->planes.pitch) {
      for (int x = 0; x < c->planes.width; ++x, ++at) {
        const uint8_t stored = plane[4 * x], q = (uint8_t)(stored ^ (XGEN_FLIP & 255U));
        if (c->quantize) {
          ((float*)(void*)to)[at] = (float)((int32_t)q - c->zero) * c->scale;
        } else {
          ((uint8_t*)to)[at] = c->flat == XGEN_NONE ? q : stored;
        }
      }
    }
  }
}
