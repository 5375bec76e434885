#include "codegen/passes/crop_taps.h"

#include <algorithm>
#include <cstring>

namespace xgen::passes {

namespace {

/// Taps [first, last] of a kernel along one axis.
struct Range {
  std::int64_t first = 0, last = 0;
};

/// Those that meet the image at least once; widened where padding cannot shrink as far.
Range useful_taps(std::int64_t extent, std::int64_t results, std::int64_t kernel,
                  std::int64_t stride, std::int64_t dilation, std::int64_t before,
                  std::int64_t after) {
  Range range{kernel, -1};
  for (std::int64_t tap = 0; tap < kernel; ++tap) {
    for (std::int64_t y = 0; y < results; ++y) {
      const std::int64_t at = y * stride + tap * dilation - before;
      if (at < 0 || at >= extent) continue;
      range = {std::min(range.first, tap), tap};
      break;
    }
  }
  if (range.last < 0) return {0, kernel - 1};  // nothing but padding is read
  range.first = std::min(range.first, before / dilation);
  range.last = std::max(range.last, kernel - 1 - after / dilation);
  return range;
}

/// The rows and columns of a weight [o, i, kh, kw] in the two ranges.
ir::Constant cropped(const ir::Constant& weight, Range rows, Range columns) {
  ir::Constant result = weight;
  result.shape[2] = rows.last - rows.first + 1;
  result.shape[3] = columns.last - columns.first + 1;
  result.bytes.clear();
  const auto size = static_cast<std::int64_t>(ir::size_of(weight.dtype));
  for (std::int64_t plane = 0; plane < weight.shape[0] * weight.shape[1]; ++plane) {
    for (std::int64_t row = rows.first; row <= rows.last; ++row) {
      const std::int64_t line = (plane * weight.shape[2] + row) * weight.shape[3];
      const auto begin = weight.bytes.begin() + (line + columns.first) * size;
      result.bytes.insert(result.bytes.end(), begin, begin + result.shape[3] * size);
    }
  }
  return result;
}

std::optional<Sparsity> cropped(const Sparsity& mask, std::int64_t width, Range rows,
                                Range columns) {
  Sparsity result = mask;
  for (Pattern& pattern : result.patterns.patterns) {
    std::uint64_t bits = 0;
    int at = 0;
    for (std::int64_t row = rows.first; row <= rows.last; ++row) {
      for (std::int64_t column = columns.first; column <= columns.last; ++column, ++at)
        bits |= std::uint64_t{pattern.keeps(static_cast<int>(row * width + column))} << at;
    }
    pattern.bits = bits;
  }
  const auto& patterns = result.patterns.patterns;
  const bool equal = std::all_of(patterns.begin(), patterns.end(), [&](const Pattern& p) {
    return p.size() == patterns.front().size() && p.size() > 0;
  });
  return equal ? std::optional(result) : std::nullopt;
}

std::optional<ir::Patch> crop(const ir::Graph& graph, const ir::UseMap&, const ir::Node& node) {
  const auto* conv = node.as<ir::Conv>();
  const ir::Constant* weight = conv == nullptr ? nullptr : graph.constant(node.inputs[1]);
  if (weight == nullptr || weight->shape.size() != 4) return std::nullopt;
  const ir::Shape &x = *graph.value(node.inputs[0]).type.shape,
                  &y = *graph.value(node.output()).type.shape;
  if (!x[2].is_static() || !x[3].is_static()) return std::nullopt;
  Range taps[2];
  for (std::size_t axis = 0; axis < 2; ++axis) {
    taps[axis] = useful_taps(x[2 + axis].size, y[2 + axis].size, weight->shape[2 + axis],
                             conv->strides[axis], conv->dilations[axis], conv->pads[axis],
                             conv->pads[2 + axis]);
  }
  ir::Conv smaller = *conv;
  bool changed = false;
  for (std::size_t axis = 0; axis < 2; ++axis) {
    const std::int64_t after = weight->shape[2 + axis] - 1 - taps[axis].last;
    smaller.pads[axis] -= taps[axis].first * conv->dilations[axis];
    smaller.pads[2 + axis] -= after * conv->dilations[axis];
    changed = changed || taps[axis].first > 0 || after > 0;
  }
  if (!changed) return std::nullopt;

  const ir::Value& old_weight = graph.value(node.inputs[1]);
  ir::Patch patch(graph);
  std::vector<ir::ValueId> inputs = node.inputs;
  ir::Constant values = cropped(*weight, taps[0], taps[1]);
  const ir::TensorType type{values.dtype, ir::to_shape(values.shape), old_weight.type.quant};
  inputs[1] = patch.constant(old_weight.name + "_cropped", std::move(values));
  patch.retype(inputs[1], type);
  if (old_weight.sparsity) {
    if (const auto mask = cropped(*old_weight.sparsity, weight->shape[3], taps[0], taps[1]))
      patch.set_sparsity(inputs[1], *mask);
  }
  return patch.remove(node).add(node.name, smaller, std::move(inputs), node.outputs);
}

}  // namespace

ir::Graph crop_taps(ir::Graph graph, int max_patches) {
  return ir::rewrite(std::move(graph), "crop_taps", crop, max_patches);
}

}  // namespace xgen::passes
