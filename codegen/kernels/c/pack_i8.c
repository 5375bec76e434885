/* Rows of four channels at once: quantized, packed to lanes and stored. Missing channels (NULL) are
 * zero points. */
static void quantize_rows(const xgen_pack* c, const float* const* channels, char* to) {
  const vf scale = vf_set1(c->scale), low = vf_set1((float)-c->zero),
           high = vf_set1((float)(255 - c->zero));
  const vi zero = vi_set1(c->zero), flip = vi_set1((int32_t)XGEN_FLIP);
  const int width = c->planes.width;
  for (int x = 0; x < width; x += LANES) {
    const int count = smaller(LANES, width - x);
    vi q[4];
    for (int k = 0; k < 4; ++k) {
      float part[LANES] = {0};
      if (channels[k] != NULL) memcpy(part, channels[k] + x, 4 * (size_t)count);
      q[k] = vi_add(vf_round(vf_min(vf_max(vf_div(vf_load(part), scale), low), high)), zero);
    }
    uint32_t lanes[LANES];
    vi_store(lanes, vi_xor(vi_pack4(q[0], q[1], q[2], q[3]), flip));
    memcpy(to + 4 * (size_t)x, lanes, 4 * (size_t)count);
  }
}

/* Channels 4 p .. 4 p + 3 fill lane p, and columns lie side by side. */
static void pack_quantized(const xgen_pack* c, const xgen_context* ctx, const float* source) {
  const int positions = c->planes.height * c->planes.width;
  for (int p = 0; p < c->planes.planes; ++p) {
    for (int y = 0; y < c->planes.height; ++y) {
      const float* rows[4];
      for (int k = 0; k < 4; ++k) {
        const int channel = 4 * p + k;
        rows[k] = channel < c->channels
                      ? source + (ptrdiff_t)channel * positions + (ptrdiff_t)y * c->planes.width
                      : NULL;
      }
      quantize_rows(c, rows,
                    ctx->arena + c->planes.data + (size_t)p * c->planes.plane +
                        4 * (ptrdiff_t)y * c->planes.pitch);
    }
  }
  write_borders(&c->planes, ctx->arena, 0, c->planes.planes);
}

/* From row-major fp32 (quantizing) or u8. */
static void pack_i8(const xgen_pack* c, const xgen_context* ctx, const void* external) {
  const char* source = (const char*)(c->flat == XGEN_NONE ? external : ctx->arena + c->flat);
  if (c->quantize && c->natural && c->planes.phases <= 1) {
    pack_quantized(c, ctx, (const float*)(const void*)source);
    return;
  }
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
