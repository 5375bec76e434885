static void max_pool_f32(const xgen_pool* c, const xgen_context* ctx) {
  for (int p = 0; p < c->x.planes; ++p) {
    const float* x = (const float*)(const void*)(ctx->arena + c->x.data + (size_t)p * c->x.plane);
    float* y = (float*)(void*)(ctx->arena + c->y.data + (size_t)p * c->y.plane);
    for (int oy = 0; oy < c->y.height; ++oy, y += c->y.pitch) {
      int top, bottom;
      pool_bounds(oy, c->stride_h, c->pad_top, c->dilation_h, c->kernel_h, c->x.height, &top,
                  &bottom);
      for (int ox = 0; ox < c->y.width; ++ox) y[ox] = -INFINITY;
      for (int kx = 0; kx < c->kernel_w; ++kx) {
        const int shift = kx * c->dilation_w - c->pad_left, s = c->stride_w;
        const int left = shift >= 0 ? 0 : (-shift + s - 1) / s;
        const int right =
            smaller(c->y.width, c->x.width - shift <= 0 ? 0 : (c->x.width - shift + s - 1) / s);
        for (int ky = top; ky < bottom; ++ky) {
          const float* row =
              x + (ptrdiff_t)(oy * c->stride_h - c->pad_top + ky * c->dilation_h) * c->x.pitch +
              shift;
          if (s == 1) {
            for (int ox = left; ox < right; ++ox) y[ox] = row[ox] > y[ox] ? row[ox] : y[ox];
          } else if (s == 2) {
            for (int ox = left; ox < right; ++ox) y[ox] = row[2 * ox] > y[ox] ? row[2 * ox] : y[ox];
          } else {
            for (int ox = left; ox < right; ++ox) y[ox] = row[s * ox] > y[ox] ? row[s * ox] : y[ox];
          }
        }
      }
    }
  }
  write_borders(&c->y, ctx->arena, 0, c->y.planes);
}
