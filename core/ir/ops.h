#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/ir/types.h"

/// Operators are plain data; semantics and layouts are those of ONNX in its newest form:
/// activations are [n, c, h, w]; Slice, Pad, Reshape, Resize, Unsqueeze, Squeeze and reductions
/// read their parameters from inputs, whichever opset the file had. Each comment lists the inputs
/// in order; a trailing input in brackets may be absent (kNoValue).
namespace xgen::ir {

/// What is applied to the result of a node before it is stored. Set by fusion only.
struct Activation {
  enum class Kind : std::uint8_t {
    none,
    clip,
    leaky_relu,
    sigmoid,
    tanh,
    silu,
    hard_sigmoid,
    hard_swish
  };
  Kind kind = Kind::none;
  /// clip: the interval; ReLU is clip [0, inf).
  float low = -std::numeric_limits<float>::infinity();
  float high = std::numeric_limits<float>::infinity();
  float alpha = 0;  ///< leaky_relu: slope; hard_sigmoid: slope.
  float beta = 0;   ///< hard_sigmoid: offset.
  friend bool operator==(const Activation&, const Activation&) = default;
};

/// Work that fusion moved into a convolution: y = activation(conv(x) [+ residual]).
///
/// With integer types the convolution is rounded to u8 by `before_residual` first, then added in
/// fixed point (DESIGN section 6): fusion neither removes nor adds a rounding.
struct Epilogue {
  Activation before_add;  ///< applied to the convolution before the residual is added.
  bool residual = false;  ///< the last input of the node is added.
  std::optional<QuantParams> before_residual;
  Activation activation;  ///< applied last.
  friend bool operator==(const Epilogue&, const Epilogue&) = default;
};

/// x [n, c, h, w], weight [c_out, c / groups, kh, kw], [bias [c_out]], [residual].
struct Conv {
  static constexpr const char* kName = "Conv";
  std::array<std::int64_t, 2> strides{1, 1};
  std::array<std::int64_t, 2> dilations{1, 1};
  std::array<std::int64_t, 4> pads{0, 0, 0, 0};  ///< top, left, bottom, right.
  std::int64_t groups = 1;
  Epilogue epilogue;
};
/// x [n, c, ...], scale, shift, mean, variance; each [c].
struct BatchNorm {
  static constexpr const char* kName = "BatchNormalization";
  float epsilon = 1e-5F;
  float momentum = 0.9F;  ///< ONNX' convention: share of the old value that is kept.
};
/// a [m, k], b [k, n], [c broadcast to [m, n]]: alpha * op(a) op(b) + beta * c.
struct Gemm {
  static constexpr const char* kName = "Gemm";
  float alpha = 1;
  float beta = 1;
  bool trans_a = false;
  bool trans_b = false;
};
/// a, b as in numpy.matmul.
struct MatMul {
  static constexpr const char* kName = "MatMul";
};
/// x [n, c, h, w].
struct Pool {
  std::array<std::int64_t, 2> kernel{1, 1};
  std::array<std::int64_t, 2> strides{1, 1};
  std::array<std::int64_t, 2> dilations{1, 1};
  std::array<std::int64_t, 4> pads{0, 0, 0, 0};
  bool ceil_mode = false;
};
struct MaxPool : Pool {
  static constexpr const char* kName = "MaxPool";
};
struct AveragePool : Pool {
  static constexpr const char* kName = "AveragePool";
  bool count_include_pad = false;
};
struct GlobalAveragePool {
  static constexpr const char* kName = "GlobalAveragePool";
};
/// x; element by element.
struct Unary {
  static constexpr const char* kName = "Unary";
  enum class Kind : std::uint8_t {
    relu,
    leaky_relu,
    clip,
    sigmoid,
    tanh,
    silu,
    hard_sigmoid,
    hard_swish,
    exp,
    log,
    neg,
    sqrt,
    abs,
    erf,
    reciprocal
  };
  Kind kind = Kind::relu;
  float low = -std::numeric_limits<float>::infinity();  ///< clip.
  float high = std::numeric_limits<float>::infinity();  ///< clip.
  float alpha = 0;                                      ///< leaky_relu, hard_sigmoid.
  float beta = 0;                                       ///< hard_sigmoid.
};
/// a, b; with numpy's broadcasting.
struct Binary {
  static constexpr const char* kName = "Binary";
  enum class Kind : std::uint8_t { add, sub, mul, div, pow, max, min };
  Kind kind = Kind::add;
};
/// x...; at least one.
struct Concat {
  static constexpr const char* kName = "Concat";
  std::int64_t axis = 1;
};
/// x, starts, ends, [axes], [steps].
struct Slice {
  static constexpr const char* kName = "Slice";
};
/// x, pads, [value]; mode "constant" only.
struct Pad {
  static constexpr const char* kName = "Pad";
};
/// x, shape.
struct Reshape {
  static constexpr const char* kName = "Reshape";
  bool allow_zero = false;
};
/// x -> [product of the extents before `axis`, the rest].
struct Flatten {
  static constexpr const char* kName = "Flatten";
  std::int64_t axis = 1;
};
struct Transpose {
  static constexpr const char* kName = "Transpose";
  std::vector<std::int64_t> perm;
};
/// x, axes.
struct Unsqueeze {
  static constexpr const char* kName = "Unsqueeze";
};
/// x, [axes].
struct Squeeze {
  static constexpr const char* kName = "Squeeze";
};
/// x, indices.
struct Gather {
  static constexpr const char* kName = "Gather";
  std::int64_t axis = 0;
};
/// x -> its extents, i64.
struct ShapeOf {
  static constexpr const char* kName = "Shape";
  std::int64_t start = 0;
  std::int64_t end = std::numeric_limits<std::int64_t>::max();
};
struct Cast {
  static constexpr const char* kName = "Cast";
  DType to = DType::f32;
};
struct Softmax {
  static constexpr const char* kName = "Softmax";
  std::int64_t axis = -1;
};
/// x, [roi, ignored], [scales], [sizes].
struct Resize {
  static constexpr const char* kName = "Resize";
  enum class Mode : std::uint8_t { nearest, linear };
  enum class Coordinates : std::uint8_t {
    half_pixel,
    pytorch_half_pixel,
    align_corners,
    asymmetric
  };
  enum class Nearest : std::uint8_t { round_prefer_floor, round_prefer_ceil, floor, ceil };
  Mode mode = Mode::nearest;
  Coordinates coordinates = Coordinates::half_pixel;
  Nearest nearest = Nearest::round_prefer_floor;
};
/// x, axes (absent: all).
struct Reduce {
  static constexpr const char* kName = "Reduce";
  enum class Kind : std::uint8_t { mean, sum, max };
  Kind kind = Kind::mean;
  bool keep_dims = true;
};
/// x; the identity except while training.
struct Dropout {
  static constexpr const char* kName = "Dropout";
  float ratio = 0.5F;
};
/// x, scale, [zero_point]: saturate(round_half_even(x / scale) + zero_point). axis: of per-channel
/// scales.
struct QuantizeLinear {
  static constexpr const char* kName = "QuantizeLinear";
  std::int64_t axis = 1;
};
/// x, scale, [zero_point].
struct DequantizeLinear {
  static constexpr const char* kName = "DequantizeLinear";
  std::int64_t axis = 1;
};

using Op = std::variant<Conv, BatchNorm, Gemm, MatMul, MaxPool, AveragePool, GlobalAveragePool,
                        Unary, Binary, Concat, Slice, Pad, Reshape, Flatten, Transpose, Unsqueeze,
                        Squeeze, Gather, ShapeOf, Cast, Softmax, Resize, Reduce, Dropout,
                        QuantizeLinear, DequantizeLinear>;

/// The ONNX operator type: "Conv", "Relu", "Add", ...; for Unary, Binary and Reduce that of the
/// kind.
std::string op_name(const Op& op);

}  // namespace xgen::ir
