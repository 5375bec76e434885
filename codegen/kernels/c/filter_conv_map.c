/* Convolution on small maps, vectorised over 16 filters: positions are broadcast to them, so that
 * no lane is spent on what lies between short rows. Eight at a time, in as many chains of products
 * as two units of four cycles keep going, and four where no more are left. */

static inline vf vf_broadcast(const char* p) {
  float s;
  memcpy(&s, p, 4);
  return vf_set1(s);
}

/* Byte distances of a position: in the input from what position 0 reads, in y, in the residual. */
typedef struct {
  ptrdiff_t x, y, residual;
} map_position;

/* Past the last position the last one is computed again. */
static inline map_position map_position_of(const xgen_conv* c, int index) {
  const int last = c->y.height * c->y.width - 1, i = smaller(index, last);
  const int row = i / c->y.width, column = i % c->y.width;
  const map_position p = {row * c->x_row + 4 * column, 4 * ((ptrdiff_t)row * c->y.pitch + column),
                          row * c->residual_row + 4 * column};
  return p;
}

static inline void filter_conv_map_finish(const xgen_conv* c, const xgen_context* ctx) {
  write_borders(&c->y, ctx->arena, c->outputs);
  if (c->split.data != XGEN_NONE) split_phases(&c->y, &c->split, ctx->arena);
}
