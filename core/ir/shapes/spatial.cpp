#include <algorithm>
#include <cmath>

#include "core/ir/shapes/context.h"
#include "core/ir/shapes/dim_math.h"

namespace xgen::ir {

namespace {

/// Positions of a window of `kernel` taps along one axis.
Dim window_positions(const NodeContext& node, const Dim& in, std::int64_t kernel,
                     std::int64_t stride, std::int64_t dilation, std::int64_t pad_before,
                     std::int64_t pad_after, bool ceil_mode) {
  if (stride < 1 || dilation < 1) node.fail("stride ", stride, ", dilation ", dilation);
  if (pad_before < 0 || pad_after < 0) node.fail("negative padding");
  const std::int64_t span = dilation * (kernel - 1) + 1;
  const Dim room = add(in, pad_before + pad_after - span);
  if (room.is_static() && room.size < 0) {
    node.fail("a window of ", span, " does not fit into ", to_string(in), " + ", pad_before, " + ",
              pad_after);
  }
  if (!ceil_mode) return add(floor_divide(room, stride), 1);
  Dim positions = add(floor_divide(add(room, stride - 1), stride), 1);
  // A window must start inside the input or its first padding, else it would see nothing.
  if (positions.is_static() && in.is_static() &&
      (positions.size - 1) * stride >= in.size + pad_before) {
    positions = positions.size - 1;
  }
  return positions;
}

InferredValue infer_pool(const Pool& op, const NodeContext& node) {
  node.require_rank(0, 4, "the input");
  const Shape& x = node.shape(0);
  Shape out{x[0], x[1]};
  for (std::size_t i = 0; i < 2; ++i) {
    if (op.kernel[i] < 1) node.fail("kernel ", op.kernel[0], " x ", op.kernel[1]);
    out.push_back(window_positions(node, x[2 + i], op.kernel[i], op.strides[i], op.dilations[i],
                                   op.pads[i], op.pads[2 + i], op.ceil_mode));
  }
  return result(node.dtype(0), out);
}

}  // namespace

InferredValue infer(const Conv& op, const NodeContext& node) {
  node.require_rank(0, 4, "the input");
  node.require_rank(1, 4, "the weight");
  const Shape& x = node.shape(0);
  const Shape& w = node.shape(1);
  if (!is_static(w)) node.fail("the weight's shape ", to_string(w), " is not fixed");
  if (op.groups < 1 || w[0].size % op.groups != 0)
    node.fail(w[0].size, " filters cannot be split into ", op.groups, " groups");
  if (x[1] != Dim(w[1].size * op.groups)) {
    node.fail("the input has ", to_string(x[1]), " channels, the weight ", to_string(w), " with ",
              op.groups, " groups expects ", w[1].size * op.groups);
  }
  if (node.has(2) && node.shape(2) != Shape{w[0]})
    node.fail("the bias must be [", w[0].size, "], is ", to_string(node.shape(2)));
  Shape out{x[0], w[0]};
  for (std::size_t i = 0; i < 2; ++i) {
    out.push_back(window_positions(node, x[2 + i], w[2 + i].size, op.strides[i], op.dilations[i],
                                   op.pads[i], op.pads[2 + i], false));
  }
  if (op.epilogue.residual && node.shape(3) != out) {
    node.fail("the residual must be ", to_string(out), ", is ", to_string(node.shape(3)));
  }
  // An integer convolution without quantization of its result ends in fp32.
  return result(node.dtype(0) == DType::u8 ? DType::f32 : node.dtype(0), out);
}

InferredValue infer(const MaxPool& op, const NodeContext& node) { return infer_pool(op, node); }
InferredValue infer(const AveragePool& op, const NodeContext& node) { return infer_pool(op, node); }

InferredValue infer(const GlobalAveragePool&, const NodeContext& node) {
  node.require_rank(0, 4, "the input");
  return result(node.dtype(0), {node.shape(0)[0], node.shape(0)[1], 1, 1});
}

InferredValue infer(const Resize&, const NodeContext& node) {
  const Shape& x = node.shape(0);
  if (node.has(3)) {
    const auto& sizes = node.elements(3);
    if (!sizes || sizes->size() != x.size())
      node.fail("sizes must be known without running the model, one per dimension");
    return result(node.dtype(0), *sizes);
  }
  if (!node.has(2)) node.fail("neither scales nor sizes are given");
  const std::vector<float> scales = node.floats(2, "scales");
  if (scales.size() != x.size())
    node.fail(scales.size(), " scales for an input with ", x.size(), " dimensions");
  Shape out;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const float whole = std::nearbyint(scales[i]);
    if (!(scales[i] > 0)) node.fail("scale ", scales[i]);
    if (x[i].is_static())
      out.emplace_back(
          static_cast<std::int64_t>(std::floor(static_cast<float>(x[i].size) * scales[i])));
    else if (whole == scales[i])
      out.push_back(multiply(x[i], static_cast<std::int64_t>(whole)));
    else
      node.fail("scale ", scales[i], " of the unbound dimension ", to_string(x[i]));
  }
  return result(node.dtype(0), out);
}

}  // namespace xgen::ir
