/* From row-major fp32 (quantizing) or u8. */
static void pack_i8(const xgen_pack* c, const xgen_context* ctx, const void* external) {
  const char* source = (const char*)(c->flat == XGEN_NONE ? external : ctx->arena + c->flat);
  clear_planes(&c->planes, ctx->arena);
  size_t at = 0;
  for (int channel = 0; channel < c->channels; ++channel) {
    uint8_t* plane = (uint8_t*)ctx->arena + ctx->tables[c->channel + channel] + c->planes.data;
    for (int y = 0; y < c->planes.height; ++y, plane += 4 * (ptrdiff_t)c->planes.pitch) {
      for (int x = 0; x < c->planes.width; ++x, ++at) {
        uint8_t* to = plane + column_offset(&c->planes, x);
        /* Row-major u8 inside the arena is stored like planes are. */
        *to = c->quantize
                  ? quantize_one(((const float*)(const void*)source)[at], c->scale, c->zero)
                  : (uint8_t)((uint8_t)source[at] ^ (c->flat == XGEN_NONE ? XGEN_FLIP & 255U : 0));
      }
    }
  }
}
