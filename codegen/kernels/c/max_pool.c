/* Lanes are fp32, or four bytes that are compared as the u8 they mean. */
static inline vi lanes_max(int integer, vi a, vi b) {
  if (!integer) return vf_as_i(vf_max(vi_as_f(a), vi_as_f(b)));
  return XGEN_FLIP ? vi_max_s8(a, b) : vi_max_u8(a, b);
}

/* The maxima over rows [top, bottom) and columns [left, right) of the windows whose first tap is at
 * `x`, `step` lanes from one to the next. */
static inline vi max_of_windows(const xgen_pool* c, const char* x, int top, int bottom, int left,
                                int right, int step, int both, int integer, vi least) {
  const ptrdiff_t down = 4 * (ptrdiff_t)c->dilation_h * c->x.pitch,
                  across = 4 * (ptrdiff_t)c->dilation_w;
  vi best = least;
  for (int kx = left; kx < right; ++kx) {
    const char* at = x + kx * across + top * down;
    vi a = least, b = least;
    for (int ky = top; ky < bottom; ++ky, at += down) {
      a = lanes_max(integer, a, vi_load(at));
      if (both) b = lanes_max(integer, b, vi_load(at + 4 * LANES));
    }
    best = lanes_max(integer, best, step == 2 ? vi_even(a, b) : a);
  }
  return best;
}

/* Vectors where all columns of the windows exist. Elsewhere, and where windows are farther apart
 * than two lanes, the first lane of a vector is of use, and the next one overwrites the others. */
static inline void max_pool(const xgen_pool* c, const xgen_context* ctx, int integer, vi least) {
  const int s = c->stride_w, reach = (c->kernel_w - 1) * c->dilation_w;
  const int first = smaller(c->y.width, (c->pad_left + s - 1) / s),
            room = c->x.width - 1 - reach + c->pad_left,
            last = s > 2 || room < 0 ? first : larger(first, smaller(c->y.width, room / s + 1));
  const xgen_border border = border_of(&c->y, ctx->arena);
  for (int p = 0; p < c->x.planes; ++p) {
    const char* x = ctx->arena + c->x.data + (size_t)p * c->x.plane;
    char* y = ctx->arena + c->y.data + (size_t)p * c->y.plane;
    for (int oy = 0; oy < c->y.height; ++oy, y += 4 * (ptrdiff_t)c->y.pitch) {
      int top, bottom;
      pool_bounds(oy, c->stride_h, c->pad_top, c->dilation_h, c->kernel_h, c->x.height, &top,
                  &bottom);
      const char* row =
          x + 4 * ((ptrdiff_t)(oy * c->stride_h - c->pad_top) * c->x.pitch - c->pad_left);
      for (int ox = 0; ox < c->y.width;) {
        const char* at = row + 4 * (ptrdiff_t)ox * s;
        if (ox < first || ox >= last) {
          int left, right;
          pool_bounds(ox, s, c->pad_left, c->dilation_w, c->kernel_w, c->x.width, &left, &right);
          vi_store(y + 4 * (ptrdiff_t)ox,
                   max_of_windows(c, at, top, bottom, left, right, 1, 0, integer, least));
          ++ox;
          continue;
        }
        /* A second vector is read only where the windows reach it: it could lie behind the planes.
         */
        const int both = s == 2 && 2 * (last - ox) > LANES;
        const vi best =
            s == 2 ? max_of_windows(c, at, top, bottom, 0, c->kernel_w, 2, both, integer, least)
                   : max_of_windows(c, at, top, bottom, 0, c->kernel_w, 1, 0, integer, least);
        vi_store(y + 4 * (ptrdiff_t)ox, best);
        ox = ox + LANES < last ? smaller(ox + LANES, larger(first, last - LANES)) : last;
      }
    }
    write_border(border, p);
  }
}
