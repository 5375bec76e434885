static inline vi requantize_lanes(vi lanes, const xgen_copy* c) {
  const vi flip = vi_set1((int32_t)XGEN_FLIP), x_zero = vi_set1(c->x_zero), zero = vi_set1(c->zero);
  const vf scale = vf_set1(c->scale), low = vf_set1((float)-c->zero),
           high = vf_set1((float)(255 - c->zero));
  vi q[4];
  for (int i = 0; i < 4; ++i) {
    const vf value = vf_mul(vi_to_f(vi_sub(vi_byte(vi_xor(lanes, flip), i), x_zero)), scale);
    q[i] = vi_add(vf_round(vf_min(vf_max(value, low), high)), zero);
  }
  return vi_xor(vi_pack4(q[0], q[1], q[2], q[3]), flip);
}

static inline void every_second_lane(char* to, const char* from, int count) {
  for (int i = 0; i < count; i += LANES, to += 4 * LANES, from += 8 * LANES) {
    const vi a = vi_load(from), b = 2 * (count - i) > LANES ? vi_load(from + 4 * LANES) : a;
    vi_store(to, vi_even(a, b));
  }
}

/* Planes of y beyond those of x are filled with the border's value: zeros. */
static void copy_planes(const xgen_copy* c, const xgen_context* ctx) {
  const xgen_border border = border_of(&c->y, ctx->arena);
  for (int p = 0; p < c->y.planes; ++p) {
    const int source = p - c->first;
    const uint32_t* x = (const uint32_t*)(const void*)(ctx->arena + c->x.data);
    for (int row = 0; row < c->y.height; ++row) {
      uint32_t* y = (uint32_t*)(void*)(ctx->arena + c->y.data + (size_t)p * c->y.plane) +
                    (ptrdiff_t)row * c->y.pitch;
      if (source < 0 || source >= c->x.planes) {
        fill_over((char*)y, c->y.border, c->y.width);
        continue;
      }
      const uint32_t* from = x + (size_t)source * c->x.plane / 4 +
                             (ptrdiff_t)(c->row + row * c->row_step) * c->x.pitch + c->column;
      if (c->column_step == 1) {
        copy_over((char*)y, (const char*)from, c->y.width);
      } else if (c->column_step == 2) {
        every_second_lane((char*)y, (const char*)from, c->y.width);
      } else {
        for (int i = 0; i < c->y.width; ++i) y[i] = from[(ptrdiff_t)i * c->column_step];
      }
      if (c->requantize) {
        for (int i = 0; i < c->y.width; i += LANES)
          vi_store(y + i, requantize_lanes(vi_load(y + i), c));
      }
    }
    write_border(border, p);
  }
}
