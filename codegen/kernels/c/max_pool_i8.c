static inline uint32_t max_bytes(uint32_t a, uint32_t b) {
  uint32_t r = 0;
  for (int i = 0; i < 32; i += 8) {
    const uint32_t p = a >> i & 255U, q = b >> i & 255U;
    r |= (p > q ? p : q) << i;
  }
  return r;
}

/* Bytes are compared as the u8 they mean: stored s8 values flip their sign bit for it. */
static void max_pool_i8(const xgen_pool* c, const xgen_context* ctx) {
  const int s = c->stride_w;
  for (int p = 0; p < c->x.planes; ++p) {
    const uint32_t* x =
        (const uint32_t*)(const void*)(ctx->arena + c->x.data + (size_t)p * c->x.plane);
    uint32_t* y = (uint32_t*)(void*)(ctx->arena + c->y.data + (size_t)p * c->y.plane);
    for (int oy = 0; oy < c->y.height; ++oy, y += c->y.pitch) {
      int top, bottom;
      pool_bounds(oy, c->stride_h, c->pad_top, c->dilation_h, c->kernel_h, c->x.height, &top,
                  &bottom);
      for (int ox = 0; ox < c->y.width; ++ox) y[ox] = XGEN_FLIP; /* u8 zero */
      for (int kx = 0; kx < c->kernel_w; ++kx) {
        const int shift = kx * c->dilation_w - c->pad_left;
        const int left = shift >= 0 ? 0 : (-shift + s - 1) / s;
        const int right =
            smaller(c->y.width, c->x.width - shift <= 0 ? 0 : (c->x.width - shift + s - 1) / s);
        for (int ky = top; ky < bottom; ++ky) {
          const uint32_t* row =
              x + (ptrdiff_t)(oy * c->stride_h - c->pad_top + ky * c->dilation_h) * c->x.pitch +
              shift;
          int ox = left;
          if (s == 1) {
            const vi flip = vi_set1((int32_t)XGEN_FLIP);
            for (; ox + LANES <= right; ox += LANES) {
              vi_store(y + ox, vi_xor(vi_max_u8(vi_xor(vi_load(row + ox), flip),
                                                vi_xor(vi_load(y + ox), flip)),
                                      flip));
            }
          }
          for (; ox < right; ++ox)
            y[ox] = max_bytes(row[s * ox] ^ XGEN_FLIP, y[ox] ^ XGEN_FLIP) ^ XGEN_FLIP;
        }
      }
    }
  }
  write_borders(&c->y, ctx->arena, 0, c->y.planes);
}
