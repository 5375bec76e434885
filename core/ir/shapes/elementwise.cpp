#include <algorithm>

#include "core/ir/shapes/context.h"
#include "core/ir/shapes/dim_math.h"

namespace xgen::ir {

InferredValue infer(const BatchNorm&, const NodeContext& node) {
  const Shape& x = node.shape(0);
  if (x.size() < 2) node.fail("the input must be [n, c, ...], is ", to_string(x));
  for (std::size_t i = 1; i < 5; ++i) {
    if (node.shape(i) != Shape{x[1]})
      node.fail("input ", i, " must be [", to_string(x[1]), "], is ", to_string(node.shape(i)));
  }
  return result(node.dtype(0), x);
}

InferredValue infer(const Gemm& op, const NodeContext& node) {
  node.require_rank(0, 2, "a");
  node.require_rank(1, 2, "b");
  const Shape& a = node.shape(0);
  const Shape& b = node.shape(1);
  node.require_equal(a[op.trans_a ? 0 : 1], b[op.trans_b ? 1 : 0],
                     str("the inner extents of ", to_string(a), " and ", to_string(b)));
  Shape out{a[op.trans_a ? 1 : 0], b[op.trans_b ? 0 : 1]};
  if (node.has(2) && node.broadcast(node.shape(2), out) != out)
    node.fail("c ", to_string(node.shape(2)), " cannot be broadcast to ", to_string(out));
  return result(node.dtype(0) == DType::u8 ? DType::f32 : node.dtype(0), out);
}

InferredValue infer(const MatMul&, const NodeContext& node) {
  Shape a = node.shape(0);
  Shape b = node.shape(1);
  if (a.empty() || b.empty()) node.fail("a scalar operand");
  const bool vector_a = a.size() == 1;
  const bool vector_b = b.size() == 1;
  if (vector_a) a.insert(a.begin(), 1);
  if (vector_b) b.emplace_back(1);
  node.require_equal(
      a.back(), b[b.size() - 2],
      str("the inner extents of ", to_string(node.shape(0)), " and ", to_string(node.shape(1))));
  Shape out = node.broadcast(Shape(a.begin(), a.end() - 2), Shape(b.begin(), b.end() - 2));
  if (!vector_a) out.push_back(a[a.size() - 2]);
  if (!vector_b) out.push_back(b.back());
  return result(node.dtype(0) == DType::u8 ? DType::f32 : node.dtype(0), out);
}

InferredValue infer(const Unary&, const NodeContext& node) {
  return result(node.dtype(0), node.shape(0));
}

InferredValue infer(const Binary&, const NodeContext& node) {
  if (node.dtype(0) != node.dtype(1)) {
    node.fail("operands of types ", name_of(node.dtype(0)), " and ", name_of(node.dtype(1)));
  }
  return result(node.dtype(0), node.broadcast(node.shape(0), node.shape(1)));
}

InferredValue infer(const Cast& op, const NodeContext& node) {
  return result(op.to, node.shape(0));
}

InferredValue infer(const Softmax& op, const NodeContext& node) {
  node.axis(op.axis, node.rank(0));
  return result(node.dtype(0), node.shape(0));
}

InferredValue infer(const Reduce& op, const NodeContext& node) {
  const Shape& x = node.shape(0);
  std::vector<bool> reduced(x.size(), !node.has(1));
  if (node.has(1)) {
    const auto axes = node.integers(1, "axes");
    for (const std::int64_t a : axes) reduced[node.axis(a, node.rank(0))] = true;
    if (axes.empty()) reduced.assign(x.size(), true);
  }
  Shape out;
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (!reduced[i])
      out.push_back(x[i]);
    else if (op.keep_dims)
      out.emplace_back(1);
  }
  return result(node.dtype(0), out);
}

InferredValue infer(const Dropout&, const NodeContext& node) {
  return result(node.dtype(0), node.shape(0));
}

namespace {

void check_quantization(const NodeContext& node, std::int64_t axis) {
  const Shape& scale = node.shape(1);
  const bool one = scale.empty() || scale == Shape{1};
  if (!one) {
    if (scale.size() != 1) node.fail("scale must have 0 or 1 dimensions, is ", to_string(scale));
    const std::size_t a = node.axis(axis, node.rank(0));
    node.require_equal(scale[0], node.shape(0)[a], str("scales, and the extent of axis ", a));
  }
  if (node.has(2) && product(node.shape(2)) != product(scale))
    node.fail("scale ", to_string(scale), " and zero point ", to_string(node.shape(2)));
}

}  // namespace

InferredValue infer(const QuantizeLinear& op, const NodeContext& node) {
  check_quantization(node, op.axis);
  return result(node.has(2) ? node.dtype(2) : DType::u8, node.shape(0));
}

InferredValue infer(const DequantizeLinear& op, const NodeContext& node) {
  check_quantization(node, op.axis);
  if (node.has(2) && node.dtype(2) != node.dtype(0)) {
    node.fail("the input is ", name_of(node.dtype(0)), ", its zero point ", name_of(node.dtype(2)));
  }
  return result(DType::f32, node.shape(0));
}

}  // namespace xgen::ir
