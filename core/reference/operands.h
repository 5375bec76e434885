#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "core/ir/graph.h"
#include "core/reference/evaluate.h"

namespace xgen::reference {

/// What a node's function computes from: tensors, their types, and the type of the result.
struct Operands {
  const ir::Node& node;
  std::vector<TensorPtr> tensors;     ///< null when absent.
  std::vector<ir::TensorType> types;  ///< with quantization parameters.
  ir::TensorType result;

  bool has(std::size_t i) const { return i < tensors.size() && tensors[i] != nullptr; }
  const Tensor& operator[](std::size_t i) const {
    XGEN_CHECK(has(i), "node \"", node.name, "\" lacks input ", i);
    return *tensors[i];
  }
  const ir::Extents& shape(std::size_t i) const { return (*this)[i].shape; }
  std::int64_t extent(std::size_t i, std::size_t axis) const { return shape(i).at(axis); }
  template <class T>
  std::span<const T> as(std::size_t i) const {
    return (*this)[i].as<T>();
  }
  /// Per-tensor quantization of input `i`; @throws InternalError when there is none.
  const ir::QuantParams& quant(std::size_t i) const;
  bool is_quantized(std::size_t i) const { return i < types.size() && types[i].quant.has_value(); }
};

/// A tensor of zeros.
Tensor make_tensor(ir::DType dtype, ir::Extents shape);

/// Row-major strides, in elements.
std::vector<std::int64_t> strides_of(const ir::Extents& shape);

/// Calls f(index) for every index of `shape`, in row-major order.
template <class F>
void for_each_index(const ir::Extents& shape, F&& f) {
  if (ir::element_count(shape) == 0) return;
  std::vector<std::int64_t> index(shape.size(), 0);
  for (;;) {
    f(static_cast<const std::vector<std::int64_t>&>(index));
    std::size_t axis = shape.size();
    while (axis > 0 && ++index[axis - 1] == shape[axis - 1]) index[--axis] = 0;
    if (axis == 0) return;
  }
}

/// Copies one element of whatever type.
void copy_element(const Tensor& from, std::int64_t from_at, Tensor& to, std::int64_t to_at);

/// Calls f with a value of the C++ type of `dtype`.
template <class F>
auto with_type(ir::DType dtype, F&& f) {
  switch (dtype) {
    case ir::DType::f32:
      return f(float{});
    case ir::DType::f64:
      return f(double{});
    case ir::DType::i64:
      return f(std::int64_t{});
    case ir::DType::i32:
      return f(std::int32_t{});
    case ir::DType::i8:
      return f(std::int8_t{});
    case ir::DType::u8:
      return f(std::uint8_t{});
    case ir::DType::boolean:
      break;
  }
  return f(bool{});
}

// One function per operator; `out` has its shape and type and is zero.
void compute(const ir::Conv& op, const Operands& in, Tensor& out);
void compute(const ir::MaxPool& op, const Operands& in, Tensor& out);
void compute(const ir::AveragePool& op, const Operands& in, Tensor& out);
void compute(const ir::GlobalAveragePool& op, const Operands& in, Tensor& out);
void compute(const ir::Resize& op, const Operands& in, Tensor& out);
void compute(const ir::BatchNorm& op, const Operands& in, Tensor& out);
void compute(const ir::Gemm& op, const Operands& in, Tensor& out);
void compute(const ir::MatMul& op, const Operands& in, Tensor& out);
void compute(const ir::Unary& op, const Operands& in, Tensor& out);
void compute(const ir::Binary& op, const Operands& in, Tensor& out);
void compute(const ir::Cast& op, const Operands& in, Tensor& out);
void compute(const ir::Softmax& op, const Operands& in, Tensor& out);
void compute(const ir::Reduce& op, const Operands& in, Tensor& out);
void compute(const ir::Dropout& op, const Operands& in, Tensor& out);
void compute(const ir::QuantizeLinear& op, const Operands& in, Tensor& out);
void compute(const ir::DequantizeLinear& op, const Operands& in, Tensor& out);
void compute(const ir::Concat& op, const Operands& in, Tensor& out);
void compute(const ir::Slice& op, const Operands& in, Tensor& out);
void compute(const ir::Pad& op, const Operands& in, Tensor& out);
void compute(const ir::Reshape& op, const Operands& in, Tensor& out);
void compute(const ir::Flatten& op, const Operands& in, Tensor& out);
void compute(const ir::Transpose& op, const Operands& in, Tensor& out);
void compute(const ir::Unsqueeze& op, const Operands& in, Tensor& out);
void compute(const ir::Squeeze& op, const Operands& in, Tensor& out);
void compute(const ir::Gather& op, const Operands& in, Tensor& out);
void compute(const ir::ShapeOf& op, const Operands& in, Tensor& out);

// The integer forms, for u8 operands with quantization parameters.
void compute_integer(const ir::Conv& op, const Operands& in, Tensor& out);
void compute_integer(const ir::Gemm& op, const Operands& in, Tensor& out);
void compute_integer(const ir::MatMul& op, const Operands& in, Tensor& out);
void compute_integer(const ir::AveragePool& op, const Operands& in, Tensor& out);
void compute_integer(const ir::GlobalAveragePool& op, const Operands& in, Tensor& out);
void compute_integer(const ir::Binary& op, const Operands& in, Tensor& out);
void compute_integer(const ir::Concat& op, const Operands& in, Tensor& out);
void compute_integer(const ir::Unary& op, const Operands& in, Tensor& out);

/// The positions of one output element's window that lie inside the input, and how many the mean
/// divides by.
struct PoolWindow {
  std::vector<std::int64_t> offsets;  ///< into one [h, w] plane.
  std::int64_t count = 0;
};
PoolWindow pool_window(const ir::Pool& op, bool count_include_pad, std::int64_t height,
                       std::int64_t width, std::int64_t oy, std::int64_t ox);

/// Calls f(weight_tap, in_row, in_column_start, column_count, out_row, out_column_start) for every
/// part of a row that a tap of the kernel reads inside the input.
struct ConvRun {
  std::int64_t tap, in_at, out_at, count, step;
};
/// All runs of one [h, w] input plane onto one [oh, ow] output plane, for every tap of kh x kw.
std::vector<ConvRun> conv_runs(const ir::Conv& op, std::int64_t kh, std::int64_t kw,
                               std::int64_t height, std::int64_t width, std::int64_t out_height,
                               std::int64_t out_width);

}  // namespace xgen::reference
