/* A tile: `filters` x `vectors` accumulators run over one list, then are finished and stored. */
typedef struct {
  char* y;
  ptrdiff_t y_step; /* between vectors */
  size_t y_plane;
  const char* residual;
  ptrdiff_t residual_step;
  const char* bias;
  const float* scale;
  int count; /* planes that are stored */
} tile_output;

typedef void (*tile_function)(const xgen_conv* c, const char* x, ptrdiff_t x_step,
                              const int32_t* list, int entries, const char* weights,
                              const tile_output* out);

/* Everything outside a tile. `tiles[m]` computes `group` filters at m vectors; weights take `entry`
 * bytes per entry; a group fills `planes` planes of y. */
static void plane_conv(const xgen_conv* c, const xgen_context* ctx, const tile_function* tiles,
                       int widest, int group, int planes, int entry) {
  const int32_t* list = ctx->tables + c->list;
  const int32_t* begin = ctx->tables + c->begin;
  const int chunks = c->flat ? 1 : (c->y.width + LANES - 1) / LANES;
  const int steps = c->flat ? (c->y.height * c->y.pitch + LANES - 1) / LANES : c->y.height;
  const ptrdiff_t x_step = c->flat ? 4 * LANES : c->x_row;
  const ptrdiff_t y_step = c->flat ? 4 * LANES : 4 * (ptrdiff_t)c->y.pitch;
  const ptrdiff_t residual_step = c->flat ? 4 * LANES : c->residual_row;
  const int per_chunk =
      (steps + widest - 1) / widest; /* tiles whose widths differ by at most one */
  const int tile_count = chunks * per_chunk;
  /* All groups of a tile before the next tile, whose inputs stay near. */
  for (int tile = 0; tile < tile_count; ++tile) {
    for (int g = 0; g < c->groups; ++g) {
      const int chunk = tile / per_chunk, part = tile % per_chunk;
      const int first = (int)((int64_t)steps * part / per_chunk),
                last = (int)((int64_t)steps * (part + 1) / per_chunk);
      /* The last chunk of a row ends where the row ends; rows narrower than a vector overrun into
       * what is written next. */
      const int wanted = chunk * LANES, most = c->y.width > LANES ? c->y.width - LANES : 0;
      const ptrdiff_t column = 4 * (ptrdiff_t)(c->flat || wanted < most ? wanted : most);
      const int from = c->shared ? 0 : begin[g], to = c->shared ? begin[1] : begin[g + 1];
      const size_t weights = (size_t)entry * (size_t)(c->shared ? g * to : from);
      const int plane = g * planes, left = c->outputs - plane;
      tile_output out;
      out.y = ctx->arena + c->y.data + (size_t)plane * c->y.plane + column + first * y_step;
      out.y_step = y_step;
      out.y_plane = c->y.plane;
      out.residual = c->residual == XGEN_NONE
                         ? NULL
                         : ctx->arena + c->residual + (size_t)plane * c->residual_plane + column +
                               first * residual_step;
      out.residual_step = residual_step;
      out.bias = ctx->weights + c->bias + (size_t)g * (size_t)group * 4;
      out.scale = (const float*)(ctx->weights + c->scale) + g * group;
      out.count = left < planes ? left : planes;
      tiles[last - first](c, ctx->arena + c->x + (size_t)g * c->x_group + column + first * x_step,
                          x_step, list + from, to - from, ctx->weights + c->weights + weights,
                          &out);
      if (c->activation != XGEN_LINEAR) {
        /* Rows narrower than a vector overlap: only what belongs to a row is mapped, and once. */
        const int lanes = c->flat ? LANES : smaller(LANES, c->y.width);
        for (int p = 0; p < out.count; ++p) {
          for (int m = 0; m < last - first; ++m) {
            char* at = out.y + (size_t)p * out.y_plane + m * y_step;
            float mapped[LANES];
            vf_store(mapped, vf_unary(c->activation, vf_load(at), c->alpha, c->beta));
            memcpy(at, mapped, 4 * (size_t)lanes);
          }
        }
      }
    }
  }
  write_borders(&c->y, ctx->arena, 0, c->outputs);
  if (c->split.data != XGEN_NONE) split_phases(&c->y, &c->split, ctx->arena);
}
