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
