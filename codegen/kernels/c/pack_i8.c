/* Four channels of row-major values side by side: NULL for a channel beyond the last one. */
typedef struct {
  const char* channel[4];
} quad_rows;

static inline vi quantize_vector(const float* from, const xgen_pack* c) {
  const vf low = vf_set1((float)-c->zero), high = vf_set1((float)(255 - c->zero));
  return vi_add(vf_round(vf_min(vf_max(vf_div(vf_load(from), vf_set1(c->scale)), low), high)),
                vi_set1(c->zero));
}

/* `count` lanes from fp32; channels beyond the last are zero points. */
static inline void quantized_lanes(const xgen_pack* c, const quad_rows* rows, int x, int count,
                                   uint32_t* lanes) {
  vi q[4];
  for (int k = 0; k < 4; ++k) {
    const char* from = rows->channel[k];
    float part[LANES] = {0};
    if (from != NULL && count == LANES) {
      q[k] = quantize_vector((const float*)(const void*)from + x, c);
    } else {
      if (from != NULL) copy_lanes((char*)part, from + 4 * (ptrdiff_t)x, count);
      q[k] = quantize_vector(part, c);
    }
  }
  vi_store(lanes, vi_xor(vi_pack4(q[0], q[1], q[2], q[3]), vi_set1((int32_t)XGEN_FLIP)));
}

/* `count` lanes from u8; channels beyond the last are as in the border. Inside the arena row-major
 * u8 is stored as planes are. */
static inline void interleaved_lanes(const xgen_pack* c, const quad_rows* rows, int x, int count,
                                     uint32_t* lanes) {
  const uint32_t flip = c->flat == XGEN_NONE ? XGEN_FLIP & 255U : 0;
  for (int i = 0; i < LANES; ++i) lanes[i] = 0;
  for (int k = 0; k < 4; ++k) {
    const uint32_t beyond = c->planes.border >> 8 * k & 255U;
    const uint8_t* from = (const uint8_t*)rows->channel[k];
    if (from != NULL && count == LANES) {
      for (int i = 0; i < LANES; ++i) lanes[i] |= (from[x + i] ^ flip) << 8 * k;
    } else if (from != NULL) {
      for (int i = 0; i < count; ++i) lanes[i] |= (from[x + i] ^ flip) << 8 * k;
    } else {
      for (int i = 0; i < LANES; ++i) lanes[i] |= beyond << 8 * k;
    }
  }
}

/* `count` lanes of an image's row from column x on, in phase planes from `plane` on. */
static inline void scatter_lanes(const xgen_planes* p, char* plane, int x, const uint32_t* lanes,
                                 int count) {
  int phase = (x + p->left) % p->phases, at = (x + p->left) / p->phases;
  for (int i = 0; i < count; ++i) {
    ((uint32_t*)(void*)(plane + (size_t)phase * p->plane))[at] = lanes[i];
    if (++phase == p->phases) phase = 0, ++at;
  }
}

static void clear_phases(const xgen_planes* p, char* arena) {
  const int above = p->top * p->pitch, lanes = above + (p->height + p->bottom) * p->pitch;
  for (int i = 0; i < p->planes * p->phases; ++i)
    fill_lanes(arena + p->data + (size_t)i * p->plane - 4 * (ptrdiff_t)above, p->border, lanes);
}

/* From row-major fp32 (quantizing) or u8. */
static void pack_i8(const xgen_pack* c, const xgen_context* ctx, const void* external) {
  const xgen_planes* to = &c->planes;
  const char* from = (const char*)(c->flat == XGEN_NONE ? external : ctx->arena + c->flat);
  const int size = c->quantize ? 4 : 1, width = to->width;
  const ptrdiff_t row = (ptrdiff_t)size * width, image = row * to->height;
  const int split = to->phases > 1;
  if (split) clear_phases(to, ctx->arena);
  for (int p = 0; p < to->planes; ++p) {
    char* plane = ctx->arena + to->data + (size_t)p * (size_t)(split ? to->phases : 1) * to->plane;
    for (int y = 0; y < to->height; ++y, plane += 4 * (ptrdiff_t)to->pitch) {
      quad_rows rows;
      for (int k = 0; k < 4; ++k)
        rows.channel[k] = 4 * p + k < c->channels ? from + (4 * p + k) * image + y * row : NULL;
      for (int start = 0; start < width; start += LANES) {
        /* The last vector of a row ends where the row does. */
        const int x = larger(0, smaller(start, width - LANES)), count = smaller(LANES, width);
        uint32_t lanes[LANES];
        if (c->quantize)
          quantized_lanes(c, &rows, x, count, lanes);
        else
          interleaved_lanes(c, &rows, x, count, lanes);
        if (split)
          scatter_lanes(to, plane, x, lanes, count);
        else
          copy_lanes(plane + 4 * (ptrdiff_t)x, (const char*)lanes, count);
      }
    }
  }
  if (!split) write_borders(to, ctx->arena, 0, to->planes);
}
