/* Where output position i of `out` lies in an input of `in` positions. */
static float resize_source(const xgen_resize* c, int i, int in, int out, float scale) {
  switch (c->coordinates) {
    case 0:
      return ((float)i + 0.5f) / scale - 0.5f; /* half_pixel */
    case 1:
      return out > 1 ? ((float)i + 0.5f) / scale - 0.5f : 0.0f; /* pytorch_half_pixel */
    case 2:
      return out > 1 ? (float)i * (float)(in - 1) / (float)(out - 1) : 0.0f; /* align_corners */
    default:
      return (float)i / scale; /* asymmetric */
  }
}

static int resize_nearest(const xgen_resize* c, float at, int in) {
  const float whole = floorf(at);
  int i;
  switch (c->nearest) {
    case 0:
      i = at - whole > 0.5f ? (int)whole + 1 : (int)whole;
      break; /* round_prefer_floor */
    case 1:
      i = at - whole >= 0.5f ? (int)whole + 1 : (int)whole;
      break; /* round_prefer_ceil */
    case 2:
      i = (int)whole;
      break;
    default:
      i = (int)ceilf(at);
      break;
  }
  return i < 0 ? 0 : i >= in ? in - 1 : i;
}

/* mode 0: nearest, which moves lanes of either type; mode 1: linear, fp32 only. */
static void resize_f32(const xgen_resize* c, const xgen_context* ctx) {
  for (int row = 0; row < c->y.height; ++row) {
    const float sy = resize_source(c, row, c->x.height, c->y.height, c->scale_h);
    const int top = resize_nearest(c, sy, c->x.height);
    const float cy = sy < 0 ? 0 : sy > (float)(c->x.height - 1) ? (float)(c->x.height - 1) : sy;
    const int y0 = (int)cy, y1 = smaller(y0 + 1, c->x.height - 1);
    for (int column = 0; column < c->y.width; ++column) {
      const float sx = resize_source(c, column, c->x.width, c->y.width, c->scale_w);
      const int left = resize_nearest(c, sx, c->x.width);
      const float cx = sx < 0 ? 0 : sx > (float)(c->x.width - 1) ? (float)(c->x.width - 1) : sx;
      const int x0 = (int)cx, x1 = smaller(x0 + 1, c->x.width - 1);
      const float fy = cy - (float)y0, fx = cx - (float)x0;
      for (int p = 0; p < c->y.planes; ++p) {
        const char* x = ctx->arena + c->x.data + (size_t)p * c->x.plane;
        char* y = ctx->arena + c->y.data + (size_t)p * c->y.plane +
                  4 * ((ptrdiff_t)row * c->y.pitch + column);
        if (c->mode == 0) {
          memcpy(y, x + 4 * ((ptrdiff_t)top * c->x.pitch + left), 4);
        } else {
          const float* f = (const float*)(const void*)x;
          const float *r0 = f + (ptrdiff_t)y0 * c->x.pitch, *r1 = f + (ptrdiff_t)y1 * c->x.pitch;
          const float a = r0[x0] + (r0[x1] - r0[x0]) * fx, b = r1[x0] + (r1[x1] - r1[x0]) * fx;
          *(float*)(void*)y = a + (b - a) * fy;
        }
      }
    }
  }
  write_borders(&c->y, ctx->arena, c->y.planes);
}
