static inline uint32_t requantize_lane(uint32_t lane, const xgen_copy* c) {
  uint32_t r = 0;
  lane ^= XGEN_FLIP;
  for (int i = 0; i < 32; i += 8) {
    const float value = (float)((int32_t)(lane >> i & 255U) - c->x_zero) * c->scale;
    const float low = (float)-c->zero, high = (float)(255 - c->zero);
    const float clipped = value < low ? low : value > high ? high : value;
    r |= (uint32_t)(c->zero + (int)lrintf(clipped)) << i;
  }
  return r ^ XGEN_FLIP;
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
      if (c->requantize) {
        for (int i = 0; i < c->y.width; ++i)
          y[i] = requantize_lane(from[(ptrdiff_t)i * c->column_step], c);
      } else if (c->column_step == 1) {
        copy_over((char*)y, (const char*)from, c->y.width);
      } else if (c->column_step == 2) {
        every_second_lane((char*)y, (const char*)from, c->y.width);
      } else {
        for (int i = 0; i < c->y.width; ++i) y[i] = from[(ptrdiff_t)i * c->column_step];
      }
    }
    write_border(border, p);
  }
}
