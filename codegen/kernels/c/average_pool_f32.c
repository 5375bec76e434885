POOL_INLINE vi mean_f32(const xgen_pool* c, const pool_windows* w, int stride, int second) {
  const ptrdiff_t down = 4 * (ptrdiff_t)c->dilation_h * c->x.pitch,
                  across = 4 * (ptrdiff_t)c->dilation_w;
  vf sum = vf_set1(0);
  for (int ky = w->top; ky < w->bottom; ++ky) {
    for (int kx = w->left; kx < w->right; ++kx)
      sum = vf_add(sum, vi_as_f(pool_tap(w->x + ky * down + kx * across, stride, second)));
  }
  const int inside = (w->bottom - w->top) * (w->right - w->left);
  return vf_as_i(vf_div(sum, vf_set1((float)pool_count(c, w->oy, w->ox, inside))));
}

static void average_pool_f32(const xgen_pool* c, const xgen_context* ctx) {
  pool_planes(c, ctx, mean_f32);
}
