/* Row-major values. */
typedef struct {
  const char* data;
  const char* end;
  ptrdiff_t row, image; /* to the next row, the next channel */
  int size;             /* bytes of a value: 4 for fp32, which is quantized, 1 for u8 */
  uint32_t flip;        /* from what is packed to what is stored */
} pack_source;

/* What the last channel ends with. */
static vi last_values(const char* from, const char* end) {
  char bytes[4 * LANES] = {0};
  for (ptrdiff_t i = 0; i < end - from; ++i) bytes[i] = from[i];
  return vi_load(bytes);
}

/* LANES values of the k-th channel of four; in channels beyond the last one there are zero points.
 */
static inline vi channel_values(const xgen_pack* c, const pack_source* s, const char* from, int k,
                                int channels) {
  if (k >= channels) return vi_set1((int32_t)((c->planes.border ^ s->flip) >> 8 * k & 255U));
  from += k * s->image;
  char last[4 * LANES];
  if (s->end - from < (ptrdiff_t)s->size * LANES) {
    vi_store(last, last_values(from, s->end));
    from = last;
  }
  return s->size == 4 ? quantized(vf_div(vf_load(from), vf_set1(c->scale)), c->zero)
                      : vi_widen_u8(from);
}

/* LANES lanes from column x of a row on; those behind the row hold what the next one begins with.
 */
static inline vi packed_lanes(const xgen_pack* c, const pack_source* s, int p, int y, int x) {
  const char* from = s->data + 4 * p * s->image + y * s->row + (ptrdiff_t)s->size * x;
  const int n = c->channels - 4 * p;
  return vi_xor(vi_pack4(channel_values(c, s, from, 0, n), channel_values(c, s, from, 1, n),
                         channel_values(c, s, from, 2, n), channel_values(c, s, from, 3, n)),
                vi_set1((int32_t)s->flip));
}

static inline void pack_plane(const xgen_pack* c, const pack_source* s, char* arena, int p) {
  const xgen_planes* to = &c->planes;
  /* Without gaps a plane is one row. */
  const int flat = to->pitch == to->width, rows = flat ? 1 : to->height,
            width = flat ? to->height * to->width : to->width, gap = flat ? 0 : to->pitch - width,
            above = to->top * to->pitch + to->left;
  char* origin = arena + to->data + (size_t)p * to->plane;
  fill_over(origin - 4 * (ptrdiff_t)above, to->border, above);
  for (int y = 0; y < rows; ++y) {
    char* line = origin + 4 * (ptrdiff_t)y * to->pitch;
    for (int x = 0; x < width; x += LANES)
      vi_store(line + 4 * (ptrdiff_t)x, packed_lanes(c, s, p, y, x));
    fill_over(line + 4 * (ptrdiff_t)width, to->border, gap);
  }
  fill_over(origin + 4 * (ptrdiff_t)to->height * to->pitch, to->border,
            to->bottom * to->pitch + to->right);
}

/* Into two phases. */
static inline void pack_halves(const xgen_pack* c, const pack_source* s, char* arena, int p) {
  const xgen_planes* to = &c->planes;
  xgen_half even = begin_half(to, arena, p, 0), odd = begin_half(to, arena, p, 1);
  for (int y = 0; y < to->height; ++y) {
    for (int x = 0; x < to->width; x += 2 * LANES) {
      const vi a = packed_lanes(c, s, p, y, x),
               b = x + LANES < to->width ? packed_lanes(c, s, p, y, x + LANES) : a;
      store_half(even, x, vi_even(a, b));
      store_half(odd, x, vi_odd(a, b));
    }
    even.line = next_half(even, to);
    odd.line = next_half(odd, to);
  }
  end_half(even, to);
  end_half(odd, to);
}

/* Into more phases, lane by lane. */
static inline void pack_phases(const xgen_pack* c, const pack_source* s, char* arena, int p) {
  const xgen_planes* to = &c->planes;
  const int phases = to->phases, above = to->top * to->pitch;
  char* plane = arena + to->data + (size_t)(p * phases) * to->plane;
  for (int i = 0; i < phases; ++i) {
    fill_lanes(plane + (size_t)i * to->plane - 4 * (ptrdiff_t)above, to->border,
               above + (to->height + to->bottom) * to->pitch);
  }
  for (int y = 0; y < to->height; ++y, plane += 4 * (ptrdiff_t)to->pitch) {
    int phase = to->left % phases, at = to->left / phases;
    for (int x = 0; x < to->width; x += LANES) {
      uint32_t lanes[LANES];
      vi_store(lanes, packed_lanes(c, s, p, y, x));
      for (int i = 0; i < smaller(LANES, to->width - x); ++i) {
        ((uint32_t*)(void*)(plane + (size_t)phase * to->plane))[at] = lanes[i];
        if (++phase == phases) phase = 0, ++at;
      }
    }
  }
}

static inline void pack_any(const xgen_pack* c, const pack_source* s, char* arena) {
  for (int p = 0; p < c->planes.planes; ++p) {
    if (c->planes.phases > 2)
      pack_phases(c, s, arena, p);
    else if (c->planes.phases == 2)
      pack_halves(c, s, arena, p);
    else
      pack_plane(c, s, arena, p);
  }
}

static inline pack_source source_of(const xgen_pack* c, const char* data, int size, uint32_t flip) {
  const ptrdiff_t row = (ptrdiff_t)size * c->planes.width, image = row * c->planes.height;
  const pack_source s = {data, data + c->channels * image, row, image, size, flip};
  return s;
}

/* From row-major fp32 (quantizing) or u8, which lies in the arena as planes store it. */
static void pack_i8(const xgen_pack* c, const xgen_context* ctx, const void* external) {
  const char* from = (const char*)(c->flat == XGEN_NONE ? external : ctx->arena + c->flat);
  if (c->quantize) {
    const pack_source real = source_of(c, from, 4, XGEN_FLIP);
    pack_any(c, &real, ctx->arena);
  } else {
    const pack_source bytes = source_of(c, from, 1, c->flat == XGEN_NONE ? XGEN_FLIP : 0);
    pack_any(c, &bytes, ctx->arena);
  }
}
