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

/* Where a tile lies: vectors first .. first + count - 1 of a chunk of columns. */
typedef struct {
  int part, first, count;
  ptrdiff_t column;
} tile_place;

/* A row of tiles whose widths differ by at most one: the first `wider` have one vector more. */
typedef struct {
  int chunks, per_chunk, narrow, wider;
} tile_cuts;

static inline tile_cuts cut_tiles(const xgen_conv* c, int widest) {
  const int steps = c->flat ? (c->y.height * c->y.pitch + LANES - 1) / LANES : c->y.height;
  const int per_chunk = (steps + widest - 1) / widest;
  const tile_cuts cuts = {c->flat ? 1 : (c->y.width + LANES - 1) / LANES, per_chunk,
                          steps / per_chunk, steps % per_chunk};
  return cuts;
}

/* The last chunk of a row ends where the row ends; rows narrower than a vector overrun into what is
 * written next. */
static inline ptrdiff_t column_of(const xgen_conv* c, int chunk) {
  const int wanted = chunk * LANES, most = larger(0, c->y.width - LANES);
  return 4 * (ptrdiff_t)(c->flat ? wanted : smaller(wanted, most));
}

static inline tile_place first_tile(const tile_cuts* cuts) {
  const tile_place place = {0, 0, cuts->narrow + (cuts->wider > 0), 0};
  return place;
}

static inline void next_tile(const tile_cuts* cuts, tile_place* place) {
  place->first += place->count;
  place->count = cuts->narrow + (++place->part < cuts->wider);
}

/* What is the same for all tiles of a call. `tiles[m]` computes `group` filters at m vectors;
 * weights take `entry` bytes per entry; a group fills `planes` planes of y. */
typedef struct {
  const tile_function* tiles;
  int widest, group, planes, entry;
} tile_kind;

static void map_tile(const xgen_conv* c, const tile_output* out, int vectors) {
  /* Rows narrower than a vector overlap: only what belongs to a row is mapped, and once. */
  const int lanes = c->flat ? LANES : smaller(LANES, c->y.width);
  for (int p = 0; p < out->count; ++p) {
    for (int m = 0; m < vectors; ++m) {
      char* at = out->y + (size_t)p * out->y_plane + m * out->y_step;
      const vf mapped = vf_unary(c->activation, vf_load(at), c->alpha, c->beta);
      if (lanes == LANES) {
        vf_store(at, mapped);
      } else {
        float part[LANES];
        vf_store(part, mapped);
        copy_lanes(at, (const char*)part, lanes);
      }
    }
  }
}

static inline void run_tile(const xgen_conv* c, const xgen_context* ctx, const tile_kind* kind,
                            const tile_place* place, int g) {
  const int32_t* begin = ctx->tables + c->begin;
  const ptrdiff_t x_step = c->flat ? 4 * LANES : c->x_row;
  const ptrdiff_t residual_step = c->flat ? 4 * LANES : c->residual_row;
  const int from = c->shared ? 0 : begin[g], to = c->shared ? begin[1] : begin[g + 1];
  const size_t weights = (size_t)kind->entry * (size_t)(c->shared ? g * to : from);
  const int plane = g * kind->planes;
  tile_output out;
  out.y_step = c->flat ? 4 * LANES : 4 * (ptrdiff_t)c->y.pitch;
  out.y = ctx->arena + c->y.data + (size_t)plane * c->y.plane + place->column +
          place->first * out.y_step;
  out.y_plane = c->y.plane;
  out.residual = c->residual == XGEN_NONE
                     ? NULL
                     : ctx->arena + c->residual + (size_t)plane * c->residual_plane +
                           place->column + place->first * residual_step;
  out.residual_step = residual_step;
  out.bias = ctx->weights + c->bias + (size_t)g * (size_t)kind->group * 4;
  out.scale = (const float*)(ctx->weights + c->scale) + g * kind->group;
  out.count = smaller(c->outputs - plane, kind->planes);
  kind->tiles[place->count](
      c, ctx->arena + c->x + (size_t)g * c->x_group + place->column + place->first * x_step, x_step,
      ctx->tables + c->list + from, to - from, ctx->weights + c->weights + weights, &out);
  if (c->activation != XGEN_LINEAR) map_tile(c, &out, place->count);
}

/* All groups of two tiles before the next two, whose inputs stay near: a group writes rows of
 * planes that are far apart, and memory is fast where it goes on for some lines. So chunks of the
 * same rows follow each other. */
static void plane_conv(const xgen_conv* c, const xgen_context* ctx, const tile_kind* kind) {
  const tile_cuts cuts = cut_tiles(c, kind->widest);
  tile_place place = first_tile(&cuts);
  while (place.part < cuts.per_chunk) {
    tile_place next = place;
    next_tile(&cuts, &next);
    const int two = next.part < cuts.per_chunk;
    for (int chunk = 0; chunk < cuts.chunks; ++chunk) {
      place.column = next.column = column_of(c, chunk);
      for (int g = 0; g < c->groups; ++g) {
        run_tile(c, ctx, kind, &place, g);
        if (two) run_tile(c, ctx, kind, &next, g);
      }
    }
    place = next;
    if (two) next_tile(&cuts, &place);
  }
  write_borders(&c->y, ctx->arena, c->outputs);
  if (c->split.data != XGEN_NONE) split_phases(&c->y, &c->split, ctx->arena);
}
