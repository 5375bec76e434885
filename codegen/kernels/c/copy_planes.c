static inline vi rescaled(vi lanes, const xgen_copy* c) {
  const vi flip = vi_set1((int32_t)XGEN_FLIP), x_zero = vi_set1(c->x_zero);
  const vf scale = vf_set1(c->scale);
  vi q[4];
  for (int i = 0; i < 4; ++i) {
    const vi steps = vi_sub(vi_byte(vi_xor(lanes, flip), i), x_zero);
    q[i] = quantized(vf_mul(vi_to_f(steps), scale), c->zero);
  }
  return vi_xor(vi_pack4(q[0], q[1], q[2], q[3]), flip);
}

static inline void every_second_lane(char* to, const char* from, int count) {
  for (int i = 0; i < count; i += LANES, to += 4 * LANES, from += 8 * LANES) {
    const vi a = vi_load(from), b = 2 * (count - i) > LANES ? vi_load(from + 4 * LANES) : a;
    vi_store(to, vi_even(a, b));
  }
}

/* Whole vectors: what lies behind a row is written afterwards. */
static inline void copy_row(const xgen_copy* c, char* to, const char* from, int count) {
  if (c->requantize) {
    for (ptrdiff_t i = 0; i < 4 * (ptrdiff_t)count; i += 4 * LANES)
      vi_store(to + i, rescaled(vi_load(from + i), c));
  } else if (c->column_step == 1) {
    copy_over(to, from, count);
  } else if (c->column_step == 2) {
    every_second_lane(to, from, count);
  } else {
    for (int i = 0; i < count; ++i) memcpy(to + 4 * i, from + 4 * (ptrdiff_t)i * c->column_step, 4);
  }
}

/* Planes of y beyond those of x are filled with the border's value: zeros. At one pitch rows and
 * the gaps between them are one run. */
static void copy_planes(const xgen_copy* c, const xgen_context* ctx) {
  const xgen_border border = border_of(&c->y, ctx->arena);
  const int run = c->x.pitch == c->y.pitch && c->row_step == 1 && c->column_step == 1,
            whole = (c->y.height - 1) * c->y.pitch + c->y.width, rows = run ? 1 : c->y.height,
            width = run ? whole : c->y.width;
  const ptrdiff_t pitch = 4 * (ptrdiff_t)c->y.pitch, step = 4 * (ptrdiff_t)c->row_step * c->x.pitch;
  const char* first =
      ctx->arena + c->x.data + 4 * ((ptrdiff_t)c->row * c->x.pitch + (ptrdiff_t)c->column);
  for (int p = 0; p < c->y.planes; ++p) {
    const int source = p - c->first;
    char* y = ctx->arena + c->y.data + (size_t)p * c->y.plane;
    if (source < 0 || source >= c->x.planes) {
      fill_over(y, c->y.border, whole);
    } else {
      const char* x = first + (size_t)source * c->x.plane;
      for (int row = 0; row < rows; ++row) copy_row(c, y + row * pitch, x + row * step, width);
    }
    write_border(border, p);
  }
}
