/* What kernels and the model share: a kernel gets its sizes, strides and lists as data.
 *
 * Tensors lie in one arena, as stacks of planes: a plane is a padded 2-D image of 32-bit lanes, a
 * lane holds one fp32 channel or four int8 channels. All distances are in bytes unless said
 * otherwise. */
#ifndef XGEN_RUNTIME_KERNELS_H
#define XGEN_RUNTIME_KERNELS_H
#ifdef __FAST_MATH__
#error "results are exact only without -ffast-math"
#endif
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Where a run finds its memory. */
typedef struct {
  char* arena;           /* tensors; 64-byte aligned */
  const char* weights;   /* weights.bin; 64-byte aligned */
  const int32_t* tables; /* lists that init expanded */
} xgen_context;

#define XGEN_NONE ((size_t)-1)
/* Operands of row-major kernels may be constants: this bit says that an offset is one into
 * weights.bin. */
#define XGEN_CONSTANT ((size_t)1 << 62)

static inline const char* xgen_at(const xgen_context* ctx, size_t offset) {
  return (offset & XGEN_CONSTANT) != 0 ? ctx->weights + (offset & ~XGEN_CONSTANT)
                                       : ctx->arena + offset;
}

/* A stack of planes. */
typedef struct {
  size_t data;                   /* arena: plane 0, position (0, 0) */
  size_t plane;                  /* between planes */
  int32_t pitch;                 /* lanes between rows */
  int32_t planes, height, width; /* of the interior */
  int32_t top, left, bottom,
      right; /* border in rows and lanes; rows share it: right of one is left of the next */
  int32_t
      phases; /* s > 1: column x lies in plane s * p + (x + left) % s, at column (x + left) / s */
  uint32_t border; /* the value of the border's lanes */
} xgen_planes;

enum {
  XGEN_LINEAR,
  XGEN_LEAKY_RELU,
  XGEN_SIGMOID,
  XGEN_TANH,
  XGEN_SILU,
  XGEN_HARD_SIGMOID,
  XGEN_HARD_SWISH,
  XGEN_EXP,
  XGEN_LOG,
  XGEN_NEG,
  XGEN_SQRT,
  XGEN_ABS,
  XGEN_ERF,
  XGEN_RECIPROCAL
};

/* A convolution over planes: for each group of filters a list of input offsets, one a tap of a kept
 * input lane. */
typedef struct {
  xgen_planes y;
  xgen_planes split;   /* a second, phase-split copy of the result; data XGEN_NONE: none */
  size_t x;            /* arena: what position (0, 0) reads at offset 0 */
  ptrdiff_t x_row;     /* between the input rows of neighbouring output rows */
  size_t x_group;      /* from one group's input to the next: 0 but for depthwise */
  int32_t flat;        /* x and y share pitch and stride is 1: the plane is one run of positions */
  int32_t list, begin; /* tables: offsets; per group the first of its entries, then the end */
  int32_t shared;      /* all groups read the same list */
  int32_t groups, outputs; /* outputs: planes of y that are written */
  int32_t activation;      /* XGEN_LINEAR .. applied to y last, to what lies inside [low, high] */
  float alpha, beta;
  size_t weights, bias, scale; /* weights.bin */
  float low0, high0;           /* clip before the addition; int8: relative to the zero point */
  float low, high;             /* clip of the result */
  size_t residual;             /* arena: position (0, 0) of what is added, or XGEN_NONE */
  size_t residual_plane;
  ptrdiff_t residual_row;
  float add0, add1; /* int8 addition: 2^16 * scale of convolution and residual over that of y */
  int32_t residual_zero, zero; /* zero points of the residual and of y */
} xgen_conv;

/* A convolution with one position, such as a fully connected layer: vectorised over 16 filters,
 * inputs broadcast. */
typedef struct {
  size_t x; /* arena: what position 0 reads at offset 0 */
  size_t y; /* arena: contiguous values, one a filter */
  int32_t list, begin, shared, groups, outputs;
  int32_t activation;
  float alpha, beta;
  size_t weights, bias, scale;
  float low, high;
  int32_t zero;
} xgen_filter_conv;

typedef struct {
  xgen_planes x, y;
  int32_t kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left;
  int32_t count_include_pad, pad_bottom, pad_right;
  float x_scale, y_scale; /* int8 average */
  int32_t x_zero, zero;
} xgen_pool;

/* Mean over all positions of each channel, stored contiguously. */
typedef struct {
  xgen_planes x;
  size_t y;
  int32_t channels;
  float scale; /* fp32: 1 / count; int8: s_x / (s_y * count) */
  int32_t x_zero, zero;
} xgen_global_pool;

enum { XGEN_ADD, XGEN_SUB, XGEN_MUL, XGEN_DIV, XGEN_MAX, XGEN_MIN, XGEN_POW };

/* Element by element over planes of the same pitch. */
typedef struct {
  xgen_planes a, b, y;
  int32_t kind, activation;
  float alpha, beta, low, high;
  int32_t b_per_channel; /* b.data: one value a channel, contiguous */
  float add0, add1;      /* int8 addition, as in xgen_conv */
  int32_t a_zero, b_zero, zero;
} xgen_binary;

typedef struct {
  xgen_planes x, y;
  int32_t kind;
  float alpha, beta, low, high;
  size_t table; /* weights.bin: 256 bytes, for int8 */
} xgen_unary;

/* Copies planes into another form: other border, pitch or phases; int8 may change its scale
 * where every column is read. */
typedef struct {
  xgen_planes x, y;
  int32_t first; /* plane of y that plane 0 of x goes to */
  int32_t row, row_step, column,
      column_step; /* reads x at (row + row_step * i, column + column_step * j) */
  int32_t requantize;
  float scale;
  int32_t x_zero, zero;
} xgen_copy;

typedef struct {
  xgen_planes x, y;
  int32_t mode, coordinates, nearest; /* as ir::Resize */
  float scale_h, scale_w;             /* output extent over input extent, as the file says */
} xgen_resize;

/* Row-major [channels, height, width] to planes, whose lanes the channels fill in order, and back.
 * `channel` (tables, only on the way back): byte offset of each channel's position (0, 0). */
typedef struct {
  size_t flat; /* arena, or XGEN_NONE: the caller's tensor `external` */
  int32_t external;
  xgen_planes planes;
  int32_t channels, channel;
  int32_t quantize; /* the row-major side is fp32, planes are int8 */
  float scale;      /* real = scale * (q - zero) */
  int32_t zero;
} xgen_pack;

enum { XGEN_MAX_RANK = 8 };

/* Row-major tensors, elements of `size` bytes: y[i] = x[sum of i * stride]; strides in elements, 0
 * broadcasts. */
typedef struct {
  size_t x, y;
  int32_t size, rank;
  int32_t extent[XGEN_MAX_RANK];
  ptrdiff_t x_stride[XGEN_MAX_RANK], y_stride[XGEN_MAX_RANK];
  ptrdiff_t x_start, y_start;
} xgen_move;

typedef struct {
  size_t a, b, y;
  int32_t kind, rank;
  int32_t extent[XGEN_MAX_RANK];
  ptrdiff_t a_stride[XGEN_MAX_RANK], b_stride[XGEN_MAX_RANK];
} xgen_broadcast;

typedef struct {
  size_t x, y;
  int32_t count;
  int32_t kind;
  float alpha, beta, low, high;
} xgen_map;

/* Row-major fp32 [outer, axis, inner]. */
typedef struct {
  size_t x, y;
  int32_t outer, axis, inner;
  int32_t kind; /* reduce: 0 mean, 1 sum, 2 max */
} xgen_axis;

/* Row-major fp32: y[b, m, n] = sum over k of a[b, m, k] * b[b, k, n]. */
typedef struct {
  size_t a, b, y;
  int32_t batch, m, n, k;
  ptrdiff_t a_batch, a_m, a_k, b_batch, b_k, b_n; /* strides in elements */
} xgen_matmul;

/* fp32 <-> u8, row major. */
typedef struct {
  size_t x, y;
  int32_t count, dequantize;
  float scale;
  int32_t zero;
} xgen_quantize;

/* Between the caller's row-major tensor and the arena. */
typedef struct {
  size_t at;
  int32_t external, output, flip; /* flip: int8 activations may be stored as x ^ 0x80 */
  size_t bytes;
} xgen_transfer;

/* How init expands a list of a sparse or dense convolution into offsets. */
typedef struct {
  int32_t list, begin; /* tables: where offsets and starts go */
  int32_t groups;      /* lists; 1 where all groups share one */
  int32_t lanes;       /* dense: a list holds all of them */
  size_t counts;       /* weights.bin: u16 entries of each list, or XGEN_NONE: dense */
  size_t entries;      /* weights.bin: u16 lane of each entry */
  size_t patterns;     /* weights.bin: u8 pattern of each entry, or XGEN_NONE: pattern 0 */
  size_t taps;         /* weights.bin: int32 offsets [patterns][pattern_taps] */
  int32_t pattern_taps;
  int32_t lane_stride; /* bytes between input lanes */
} xgen_list;

/* Offsets of the channels of a row-major tensor in planes: channel c lies at map[c] / lane bytes.
 */
typedef struct {
  int32_t table, channels;
  size_t map; /* weights.bin: int32 lane * 4 + byte of each channel */
  size_t plane;
} xgen_channel_map;

#endif
