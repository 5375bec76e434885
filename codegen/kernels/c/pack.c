static inline uint8_t quantize_one(float value, float scale, int zero) {
  const float v = value / scale, low = (float)-zero, high = (float)(255 - zero);
  const float clipped = v < low    ? low
                        : v > high ? high
                        : v == v   ? v
                                   : 0.0f; /* NaN gives the zero point */
  return (uint8_t)((uint32_t)(zero + (int)lrintf(clipped)) ^ (XGEN_FLIP & 255U));
}

/* Byte distance of column x from column 0's phase plane and position. */
static inline size_t column_offset(const xgen_planes* p, int x) {
  if (p->phases <= 1) return 4 * (size_t)x;
  const int padded = x + p->left;
  return (size_t)(padded % p->phases) * p->plane + 4 * (size_t)(padded / p->phases);
}

/* Every lane of the planes, borders included, gets the border's value first: dead bytes, phases and
 * gaps need no care. */
static void clear_planes(const xgen_planes* p, char* arena) {
  const int above = p->phases > 1 ? p->top * p->pitch : p->top * p->pitch + p->left;
  const int lanes = above + (p->height + p->bottom) * p->pitch + (p->phases > 1 ? 0 : p->right);
  const int count = p->planes * (p->phases > 1 ? p->phases : 1);
  for (int i = 0; i < count; ++i)
    fill_lanes(arena + p->data + (size_t)i * p->plane - 4 * (ptrdiff_t)above, p->border, lanes);
}
