/* An exact integer sum, one multiplication, one rounding. */
POOL_INLINE vi mean_i8(const xgen_pool* c, const pool_windows* w, int stride, int second) {
  const ptrdiff_t down = 4 * (ptrdiff_t)c->dilation_h * c->x.pitch,
                  across = 4 * (ptrdiff_t)c->dilation_w;
  const vi flip = vi_set1((int32_t)XGEN_FLIP);
  const int inside = (w->bottom - w->top) * (w->right - w->left),
            count = pool_count(c, w->oy, w->ox, inside);
  vi sum[4];
  for (int i = 0; i < 4; ++i) sum[i] = vi_set1(-inside * c->x_zero);
  for (int ky = w->top; ky < w->bottom; ++ky) {
    for (int kx = w->left; kx < w->right; ++kx) {
      const vi lanes = vi_xor(pool_tap(w->x + ky * down + kx * across, stride, second), flip);
      for (int i = 0; i < 4; ++i) sum[i] = vi_add(sum[i], vi_byte(lanes, i));
    }
  }
  const vf scale = vf_set1((float)((double)c->x_scale / ((double)c->y_scale * count)));
  for (int i = 0; i < 4; ++i) sum[i] = quantized(vf_mul(vi_to_f(sum[i]), scale), c->zero);
  return vi_xor(vi_pack4(sum[0], sum[1], sum[2], sum[3]), flip);
}

static void average_pool_i8(const xgen_pool* c, const xgen_context* ctx) {
  pool_planes(c, ctx, mean_i8);
}
