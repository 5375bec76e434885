/* Pooling reads no border: each output looks at the positions that exist. */
static void pool_bounds(int out, int stride, int pad, int dilation, int kernel, int extent,
                        int* first, int* last) {
  const int origin = out * stride - pad;
  *first = origin >= 0 ? 0 : (-origin + dilation - 1) / dilation;
  *last = smaller(kernel, origin >= extent ? 0 : (extent - origin + dilation - 1) / dilation);
}

/* What a window's sum is divided by: the taps inside, or those inside the padded image. */
static int pool_count(const xgen_pool* c, int oy, int ox, int inside) {
  if (!c->count_include_pad) return inside;
  int top, bottom, left, right;
  pool_bounds(oy, c->stride_h, 0, c->dilation_h, c->kernel_h,
              c->x.height + c->pad_top + c->pad_bottom, &top, &bottom);
  pool_bounds(ox, c->stride_w, 0, c->dilation_w, c->kernel_w,
              c->x.width + c->pad_left + c->pad_right, &left, &right);
  return (bottom - top) * (right - left);
}

/* Windows side by side, the first of them that of output (oy, ox), with its first tap at `x`. Of
 * their taps rows [top, bottom) and columns [left, right) exist. */
typedef struct {
  const char* x;
  int oy, ox, top, bottom, left, right;
} pool_windows;

/* What is computed of windows that are `stride` lanes apart, 1 or 2; `second` tells whether a tap
 * of all of them takes more than one vector. Both are constants where it is called, and inlined. */
typedef vi (*pool_function)(const xgen_pool* c, const pool_windows* w, int stride, int second);
#define POOL_INLINE static inline __attribute__((always_inline))

/* One tap of the windows, which for the first of them lies at `at`. */
POOL_INLINE vi pool_tap(const char* at, int stride, int second) {
  const vi first = vi_load(at);
  return stride == 2 ? vi_even(first, second ? vi_load(at + 4 * LANES) : first) : first;
}

/* Vectors where all columns of the windows exist. Elsewhere, and where windows are farther apart
 * than two lanes, the first lane of a vector is of use, and the next one overwrites the others. */
POOL_INLINE void pool_planes(const xgen_pool* c, const xgen_context* ctx, pool_function pooled) {
  const int s = c->stride_w, reach = (c->kernel_w - 1) * c->dilation_w;
  const int first = smaller(c->y.width, (c->pad_left + s - 1) / s),
            room = c->x.width - 1 - reach + c->pad_left,
            last = s > 2 || room < 0 ? first : larger(first, smaller(c->y.width, room / s + 1));
  const xgen_border border = border_of(&c->y, ctx->arena);
  for (int p = 0; p < c->x.planes; ++p) {
    const char* x = ctx->arena + c->x.data + (size_t)p * c->x.plane;
    char* y = ctx->arena + c->y.data + (size_t)p * c->y.plane;
    for (int oy = 0; oy < c->y.height; ++oy, y += 4 * (ptrdiff_t)c->y.pitch) {
      pool_windows w;
      w.oy = oy;
      pool_bounds(oy, c->stride_h, c->pad_top, c->dilation_h, c->kernel_h, c->x.height, &w.top,
                  &w.bottom);
      const char* row =
          x + 4 * ((ptrdiff_t)(oy * c->stride_h - c->pad_top) * c->x.pitch - c->pad_left);
      for (int ox = 0; ox < c->y.width;) {
        char* to = y + 4 * (ptrdiff_t)ox;
        w.ox = ox;
        w.x = row + 4 * (ptrdiff_t)ox * s;
        w.left = 0, w.right = c->kernel_w;
        if (ox < first || ox >= last) {
          pool_bounds(ox, s, c->pad_left, c->dilation_w, c->kernel_w, c->x.width, &w.left,
                      &w.right);
          vi_store(to, pooled(c, &w, 1, 0));
          ++ox;
          continue;
        }
        /* A second vector is read only where the windows reach it: it could lie behind the planes.
         */
        if (s == 1)
          vi_store(to, pooled(c, &w, 1, 0));
        else if (2 * (last - ox) > LANES)
          vi_store(to, pooled(c, &w, 2, 1));
        else
          vi_store(to, pooled(c, &w, 2, 0));
        ox = ox + LANES < last ? smaller(ox + LANES, larger(first, last - LANES)) : last;
      }
    }
    write_border(border, p);
  }
}
