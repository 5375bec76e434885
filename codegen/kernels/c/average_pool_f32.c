static void average_pool_f32(const xgen_pool* c, const xgen_context* ctx) {
  const xgen_border border = border_of(&c->y, ctx->arena);
  for (int p = 0; p < c->x.planes; ++p) {
    const float* x = (const float*)(const void*)(ctx->arena + c->x.data + (size_t)p * c->x.plane);
    float* y = (float*)(void*)(ctx->arena + c->y.data + (size_t)p * c->y.plane);
    for (int oy = 0; oy < c->y.height; ++oy) {
      int top, bottom;
      pool_bounds(oy, c->stride_h, c->pad_top, c->dilation_h, c->kernel_h, c->x.height, &top,
                  &bottom);
      for (int ox = 0; ox < c->y.width; ++ox) {
        int left, right;
        pool_bounds(ox, c->stride_w, c->pad_left, c->dilation_w, c->kernel_w, c->x.width, &left,
                    &right);
        float sum = 0;
        for (int ky = top; ky < bottom; ++ky) {
          const float* row =
              x + (ptrdiff_t)(oy * c->stride_h - c->pad_top + ky * c->dilation_h) * c->x.pitch;
          for (int kx = left; kx < right; ++kx)
            sum += row[ox * c->stride_w - c->pad_left + kx * c->dilation_w];
        }
        y[(ptrdiff_t)oy * c->y.pitch + ox] =
            sum / (float)pool_count(c, oy, ox, (bottom - top) * (right - left));
      }
    }
    write_border(border, p);
  }
}
