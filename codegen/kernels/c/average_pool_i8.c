/* An exact integer sum, one multiplication, one rounding. */
static inline uint32_t average_i8(const xgen_pool* c, int32_t sum, int count) {
  const int zero = c->zero;
  const float value = (float)sum * (float)((double)c->x_scale / ((double)c->y_scale * count));
  const float low = (float)-zero, high = (float)(255 - zero);
  const float clipped = value < low ? low : value > high ? high : value;
  return (uint32_t)(zero + (int)lrintf(clipped));
}

static void average_pool_i8(const xgen_pool* c, const xgen_context* ctx) {
  const xgen_border border = border_of(&c->y, ctx->arena);
  for (int p = 0; p < c->x.planes; ++p) {
    const uint32_t* x =
        (const uint32_t*)(const void*)(ctx->arena + c->x.data + (size_t)p * c->x.plane);
    uint32_t* y = (uint32_t*)(void*)(ctx->arena + c->y.data + (size_t)p * c->y.plane);
    for (int oy = 0; oy < c->y.height; ++oy) {
      int top, bottom;
      pool_bounds(oy, c->stride_h, c->pad_top, c->dilation_h, c->kernel_h, c->x.height, &top,
                  &bottom);
      for (int ox = 0; ox < c->y.width; ++ox) {
        int left, right;
        pool_bounds(ox, c->stride_w, c->pad_left, c->dilation_w, c->kernel_w, c->x.width, &left,
                    &right);
        const int inside = (bottom - top) * (right - left), count = pool_count(c, oy, ox, inside);
        int32_t sum[4] = {0, 0, 0, 0};
        for (int ky = top; ky < bottom; ++ky) {
          const uint32_t* row =
              x + (ptrdiff_t)(oy * c->stride_h - c->pad_top + ky * c->dilation_h) * c->x.pitch;
          for (int kx = left; kx < right; ++kx) {
            const uint32_t lane =
                row[ox * c->stride_w - c->pad_left + kx * c->dilation_w] ^ XGEN_FLIP;
            for (int i = 0; i < 4; ++i) sum[i] += (int32_t)(lane >> (8 * i) & 255U);
          }
        }
        uint32_t lane = 0;
        for (int i = 0; i < 4; ++i)
          lane |= average_i8(c, sum[i] - inside * c->x_zero, count) << (8 * i);
        y[(ptrdiff_t)oy * c->y.pitch + ox] = lane ^ XGEN_FLIP;
      }
    }
    write_border(border, p);
  }
}
