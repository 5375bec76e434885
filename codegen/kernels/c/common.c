/* Shared by the families of this file. */

/* exp(x) to 2 ulp: x = n ln2 + r, |r| <= ln2 / 2, a polynomial in r, then the exponent by shifting
 * n into place. Results and their reciprocals stay within normal numbers: subnormal ones are slow.
 */
static inline vf vf_exp(vf x) {
  x = vf_min(vf_max(x, vf_set1(-87.0f)), vf_set1(87.0f));
  const vi n = vf_round(vf_mul(x, vf_set1(1.44269504f)));
  const vf k = vi_to_f(n);
  vf r = vf_fma(k, vf_set1(-0.693359375f), x);
  r = vf_fma(k, vf_set1(2.12194440e-4f), r);
  vf p = vf_set1(1.9875691500e-4f);
  p = vf_fma(p, r, vf_set1(1.3981999507e-3f));
  p = vf_fma(p, r, vf_set1(8.3334519073e-3f));
  p = vf_fma(p, r, vf_set1(4.1665795894e-2f));
  p = vf_fma(p, r, vf_set1(1.6666665459e-1f));
  p = vf_fma(p, r, vf_set1(5.0000001201e-1f));
  p = vf_add(vf_fma(p, vf_mul(r, r), r), vf_set1(1.0f));
  return vf_mul(p, vi_as_f(vi_shl23(vi_add(n, vi_set1(127)))));
}

static inline vf vf_sigmoid(vf x) {
  return vf_div(vf_set1(1.0f), vf_add(vf_set1(1.0f), vf_exp(vf_sub(vf_set1(0.0f), x))));
}

/* A function without a vector form, lane by lane. */
static inline float scalar_unary(int kind, float x) {
  switch (kind) {
    case XGEN_LOG:
      return logf(x);
    case XGEN_SQRT:
      return sqrtf(x);
    case XGEN_ERF:
      return erff(x);
    case XGEN_TANH:
      return tanhf(x);
    default:
      return x;
  }
}

static inline vf vf_unary(int kind, vf x, float alpha, float beta) {
  const vf zero = vf_set1(0.0f), one = vf_set1(1.0f);
  switch (kind) {
    case XGEN_LINEAR:
      return x;
    case XGEN_LEAKY_RELU:
      return vf_add(vf_max(x, zero), vf_mul(vf_set1(alpha), vf_min(x, zero)));
    case XGEN_SIGMOID:
      return vf_sigmoid(x);
    case XGEN_SILU:
      return vf_mul(x, vf_sigmoid(x));
    case XGEN_HARD_SIGMOID:
      return vf_min(vf_max(vf_add(vf_mul(x, vf_set1(alpha)), vf_set1(beta)), zero), one);
    case XGEN_HARD_SWISH:
      return vf_mul(x, vf_min(vf_max(vf_fma(x, vf_set1(1.0f / 6.0f), vf_set1(0.5f)), zero), one));
    case XGEN_EXP:
      return vf_exp(x);
    case XGEN_NEG:
      return vf_sub(zero, x);
    case XGEN_ABS:
      return vf_max(x, vf_sub(zero, x));
    case XGEN_RECIPROCAL:
      return vf_div(one, x);
    default: {
      float lanes[LANES];
      vf_store(lanes, x);
      for (int i = 0; i < LANES; ++i) lanes[i] = scalar_unary(kind, lanes[i]);
      return vf_load(lanes);
    }
  }
}

/* Where a network's weights do not fit into a cache they come from memory, and a processor looks
 * ahead too little between so many multiply-adds: they are asked for so many bytes before. */
enum { WEIGHTS_AHEAD = 4096 };
static inline void ask_ahead(const void* weights) {
  __builtin_prefetch((const char*)weights + WEIGHTS_AHEAD);
}

static inline int smaller(int a, int b) { return a < b ? a : b; }
static inline int larger(int a, int b) { return a > b ? a : b; }

/* Vector by vector: rows are too short for a call of memcpy to be worth it. */
static inline void copy_lanes(char* to, const char* from, int count) {
  int i = 0;
  for (; i + LANES <= count; i += LANES) vf_store(to + 4 * i, vf_load(from + 4 * i));
  to += 4 * i, from += 4 * i;
  if (LANES > 8 && (count - i) & 8) memcpy(to, from, 32), to += 32, from += 32;
  if (LANES > 4 && (count - i) & 4) memcpy(to, from, 16), to += 16, from += 16;
  if (LANES > 2 && (count - i) & 2) memcpy(to, from, 8), to += 8, from += 8;
  if (LANES > 1 && (count - i) & 1) memcpy(to, from, 4);
}

/* Up to LANES - 1 lanes behind the last one are written as well. Every plane ends in room for that,
 * and what goes on in the same plane is written afterwards. Short ends are short stores: one across
 * cache lines takes as many cycles as it has 16 bytes. */
static inline void copy_over(char* to, const char* from, int count) {
  int i = 0;
  for (; i + LANES <= count; i += LANES) vf_store(to + 4 * i, vf_load(from + 4 * i));
  const int rest = count - i;
  to += 4 * i, from += 4 * i;
  if (LANES > 8 && rest > 8)
    vf_store(to, vf_load(from));
  else if (LANES > 4 && rest > 4)
    memcpy(to, from, 32);
  else if (LANES > 1 && rest > 0)
    memcpy(to, from, 16);
}

static inline void fill_over(char* at, uint32_t value, int count) {
  const uint32_t four[4] = {value, value, value, value};
  int i = 0;
  for (; i + LANES <= count; i += LANES) vi_store(at + 4 * i, vi_set1((int32_t)value));
  for (; i < count; i += 4) memcpy(at + 4 * i, four, 16);
}

/* Exactly `count` lanes: the last vector of many overlaps the one before. */
static inline void fill_lanes(char* at, uint32_t value, int count) {
  int i = 0;
  for (; i + LANES <= count; i += LANES) vi_store(at + 4 * (ptrdiff_t)i, vi_set1((int32_t)value));
  if (i == count) return;
  if (i > 0) {
    vi_store(at + 4 * (ptrdiff_t)(count - LANES), vi_set1((int32_t)value));
    return;
  }
  const uint32_t four[4] = {value, value, value, value};
  if (LANES > 8 && count & 8) memcpy(at, four, 16), memcpy(at + 16, four, 16), at += 32;
  if (LANES > 4 && count & 4) memcpy(at, four, 16), at += 16;
  if (LANES > 2 && count & 2) memcpy(at, four, 8), at += 8;
  if (LANES > 1 && count & 1) memcpy(at, four, 4);
}

/* Between `rows` rows of a plane. Most gaps have one to three lanes, known to a loop of their own.
 */
static inline void fill_gaps(char* at, ptrdiff_t pitch, int rows, uint32_t value, int gap) {
  const uint32_t two[2] = {value, value};
  switch (gap) {
    case 0:
      return;
    case 1:
      for (int y = 0; y < rows; ++y, at += pitch) memcpy(at, two, 4);
      return;
    case 2:
      for (int y = 0; y < rows; ++y, at += pitch) memcpy(at, two, 8);
      return;
    case 3:
      for (int y = 0; y < rows; ++y, at += pitch) memcpy(at, two, 8), memcpy(at + 8, two, 4);
      return;
    default:
      for (int y = 0; y < rows; ++y, at += pitch) fill_lanes(at, value, gap);
  }
}

/* The neutral value around the interior of planes: lanes above the first row, between rows, and
 * from the last row on. */
typedef struct {
  char* first; /* row of the first plane */
  size_t plane;
  ptrdiff_t pitch, width, last; /* in bytes; of the last row */
  int rows, above, gap, below;
  uint32_t value;
} xgen_border;

/* Asked once a call, and kept in registers: what a plane's stores might change is read again. */
static inline xgen_border border_of(const xgen_planes* p, char* arena) {
  const int phases = p->phases > 1, gap = p->pitch - p->width;
  const ptrdiff_t pitch = 4 * (ptrdiff_t)p->pitch;
  const xgen_border b = {arena + p->data,
                         p->plane,
                         pitch,
                         4 * (ptrdiff_t)p->width,
                         (p->height - 1) * pitch,
                         p->height,
                         phases ? 0 : p->top * p->pitch + p->left,
                         gap,
                         phases ? 0 : gap + p->bottom * p->pitch + p->right,
                         p->border};
  return b;
}

/* It is written in every run, nobody else keeps the arena clean; and while the plane is near, if a
 * kernel goes from plane to plane. */
static inline void write_border(xgen_border b, int plane) {
  if (b.above + b.below == 0) return;
  char* first = b.first + (size_t)plane * b.plane;
  char* right = first + b.width;
  fill_lanes(first - 4 * (ptrdiff_t)b.above, b.value, b.above);
  fill_gaps(right, b.pitch, b.rows - 1, b.value, b.gap);
  fill_lanes(right + b.last, b.value, b.below);
}

static void write_borders(const xgen_planes* p, char* arena, int count) {
  const xgen_border border = border_of(p, arena);
  for (int plane = 0; plane < count; ++plane) write_border(border, plane);
}

/* Every second column of an image in a phase plane: the line of the current row, and where in it
 * they lie. Borders are whole vectors, too: the left one is written before the columns, the right
 * one behind them. */
typedef struct {
  char* line;
  int at, end;
} xgen_half;

static inline xgen_half begin_half(const xgen_planes* y, char* arena, int plane, int odd) {
  char* line = arena + y->data + (size_t)(2 * plane + ((y->left + odd) & 1)) * y->plane;
  const int above = y->top * y->pitch, at = (y->left + odd) >> 1;
  const xgen_half h = {line, at, at + ((y->width + 1 - odd) >> 1)};
  fill_over(line - 4 * (ptrdiff_t)above, y->border, above);
  fill_over(line, y->border, at);
  return h;
}

/* Of columns x to x + 2 LANES - 1. */
static inline void store_half(xgen_half h, int x, vi v) {
  vi_store(h.line + 4 * (ptrdiff_t)(h.at + x / 2), v);
}

static inline char* next_half(xgen_half h, const xgen_planes* y) {
  fill_over(h.line + 4 * (ptrdiff_t)h.end, y->border, y->pitch - h.end);
  char* line = h.line + 4 * (ptrdiff_t)y->pitch;
  fill_over(line, y->border, h.at);
  return line;
}

static inline void end_half(xgen_half h, const xgen_planes* y) {
  fill_over(h.line, y->border, y->bottom * y->pitch);
}

static void split_in_two(const char* from, int pitch, const char* end, const xgen_planes* y,
                         char* arena, int plane) {
  xgen_half even = begin_half(y, arena, plane, 0), odd = begin_half(y, arena, plane, 1);
  for (int row = 0; row < y->height; ++row, from += 4 * (ptrdiff_t)pitch) {
    for (int x = 0; x < y->width; x += 2 * LANES) {
      const char* source = from + 4 * (ptrdiff_t)x;
      const int rest = y->width - x, both = rest > LANES;
      char last[8 * LANES];
      if (end - source < (both ? 8 : 4) * LANES) {
        copy_lanes(last, source, smaller(rest, 2 * LANES));
        source = last;
      }
      const vi a = vi_load(source), b = both ? vi_load(source + 4 * LANES) : a;
      store_half(even, x, vi_even(a, b));
      store_half(odd, x, vi_odd(a, b));
    }
    even.line = next_half(even, y);
    odd.line = next_half(odd, y);
  }
  end_half(even, y);
  end_half(odd, y);
}

/* Writes an image's columns into the phase planes of plane `plane` of y, borders included.
 * `from`: its first row; `pitch`: lanes between its rows; `end`: nothing is read from there on. */
static void split_image(const char* from, int pitch, const char* end, const xgen_planes* y,
                        char* arena, int plane) {
  const int s = y->phases, width = y->width;
  if (s == 2) {
    split_in_two(from, pitch, end, y, arena, plane);
    return;
  }
  for (int phase = 0; phase < s; ++phase) {
    uint32_t* to = (uint32_t*)(void*)(arena + y->data + (size_t)(plane * s + phase) * y->plane);
    /* Interior columns of this phase are those with (column + left) % s == phase. */
    const int first = (phase - y->left % s + s) % s, at = (first + y->left) / s;
    const int inside = first < width ? (width - first + s - 1) / s : 0;
    for (int i = -y->top * y->pitch; i < 0; ++i) to[i] = y->border;
    for (int row = 0; row < y->height; ++row) {
      const uint32_t* source = (const uint32_t*)(const void*)from + (ptrdiff_t)row * pitch + first;
      uint32_t* line = to + (ptrdiff_t)row * y->pitch;
      for (int i = 0; i < at; ++i) line[i] = y->border;
      for (int i = 0; i < inside; ++i) line[at + i] = source[s * i];
      for (int i = at + inside; i < y->pitch; ++i) line[i] = y->border;
    }
    uint32_t* below = to + (ptrdiff_t)y->height * y->pitch;
    for (int i = 0; i < y->bottom * y->pitch; ++i) below[i] = y->border;
  }
}

static void split_phases(const xgen_planes* x, const xgen_planes* y, char* arena) {
  for (int plane = 0; plane < x->planes; ++plane) {
    const char* from = arena + x->data + (size_t)plane * x->plane;
    const char* end = from + 4 * ((ptrdiff_t)x->height * x->pitch + LANES);
    split_image(from, x->pitch, end, y, arena, plane);
  }
}

/* Values of 0 to 255, from values in steps of their scale: clipped, rounded, the zero point added.
 */
static inline vi quantized(vf steps, int zero) {
  const vf low = vf_set1((float)-zero), high = vf_set1((float)(255 - zero));
  return vi_add(vf_round(vf_min(vf_max(steps, low), high)), vi_set1(zero));
}

/* Integer results of a convolution, without the zero point (the rule is in the documentation of the
 * integer reference). */
static inline vi requantize(vi acc, vf scale, vf low, vf high) {
  return vf_round(vf_min(vf_max(vf_mul(vi_to_f(acc), scale), low), high));
}

/* q and r in 2^-16 steps of the result, added and rounded as integers, clipped. */
static inline vi add_fixed_point(vi q, vi r, float scale_q, float scale_r, int low, int high) {
  const vi a = vf_round(vf_mul(vi_to_f(q), vf_set1(scale_q))),
           b = vf_round(vf_mul(vi_to_f(r), vf_set1(scale_r)));
  const vi sum = vi_sra16(vi_add(vi_add(a, b), vi_set1(32768)));
  return vi_min(vi_max(sum, vi_set1(low)), vi_set1(high));
}

static inline vi add_residual(const xgen_conv* c, vi q, vi r) {
  return add_fixed_point(q, vi_sub(r, vi_set1(c->residual_zero)), c->add0, c->add1, (int)c->low,
                         (int)c->high);
}
