/* Lanes are fp32, or four bytes that are compared as the u8 they mean. */
static inline vi lanes_max(int integer, vi a, vi b) {
  if (!integer) return vf_as_i(vf_max(vi_as_f(a), vi_as_f(b)));
  return XGEN_FLIP ? vi_max_s8(a, b) : vi_max_u8(a, b);
}

/* Of the rows first, as vectors lie: then fewer lanes have to be moved. */
POOL_INLINE vi max_of_windows(const xgen_pool* c, const pool_windows* w, int stride, int second,
                              int integer, vi least) {
  const ptrdiff_t down = 4 * (ptrdiff_t)c->dilation_h * c->x.pitch,
                  across = 4 * (ptrdiff_t)c->dilation_w;
  vi best = least;
  for (int kx = w->left; kx < w->right; ++kx) {
    const char* at = w->x + kx * across + w->top * down;
    vi a = least, b = least;
    for (int ky = w->top; ky < w->bottom; ++ky, at += down) {
      a = lanes_max(integer, a, vi_load(at));
      if (second) b = lanes_max(integer, b, vi_load(at + 4 * LANES));
    }
    best = lanes_max(integer, best, stride == 2 ? vi_even(a, b) : a);
  }
  return best;
}
