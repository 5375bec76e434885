#include "codegen/passes/crop_taps.h"

#include <algorithm>
#include <cstring>

namespace xgen::passes {

namespace {

using Range = Crop::Range;

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
  result.shape[2] = rows.size();
  result.shape[3] = columns.size();
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

std::optional<ir::Patch> crop(const ir::Graph& graph, const ir::UseMap&, const ir::Node& node) {
  const auto* conv = node.as<ir::Conv>();
  const ir::Constant* weight = conv == nullptr ? nullptr : graph.constant(node.inputs[1]);
  if (weight == nullptr || weight->shape.size() != 4) return std::nullopt;
  const ir::Shape &x = *graph.value(node.inputs[0]).type.shape,
                  &y = *graph.value(node.output()).type.shape;
  if (!x[2].is_static() || !x[3].is_static()) return std::nullopt;
  const std::optional<Crop> crop = crop_of(*conv, {weight->shape[2], weight->shape[3]},
                                           {x[2].size, x[3].size}, {y[2].size, y[3].size});
  if (!crop) return std::nullopt;

  const ir::Value& old_weight = graph.value(node.inputs[1]);
  ir::Patch patch(graph);
  std::vector<ir::ValueId> inputs = node.inputs;
  ir::Constant values = cropped(*weight, crop->rows, crop->columns);
  const ir::TensorType type{values.dtype, ir::to_shape(values.shape), old_weight.type.quant};
  inputs[1] = patch.constant(old_weight.name + "_cropped", std::move(values));
  patch.retype(inputs[1], type);
  if (old_weight.sparsity) {
    Sparsity mask = *old_weight.sparsity;
    if (const auto patterns = cropped(mask.patterns, weight->shape[3], *crop)) {
      mask.patterns = *patterns;
      patch.set_sparsity(inputs[1], mask);
    }
  }
  return patch.remove(node).add(node.name, crop->conv, std::move(inputs), node.outputs);
}

}  // namespace

std::optional<Crop> crop_of(const ir::Conv& conv, std::array<std::int64_t, 2> kernel,
                            std::array<std::int64_t, 2> image, std::array<std::int64_t, 2> result) {
  Crop crop;
  crop.conv = conv;
  bool changed = false;
  for (std::size_t axis = 0; axis < 2; ++axis) {
    Range& taps = axis == 0 ? crop.rows : crop.columns;
    taps = useful_taps(image[axis], result[axis], kernel[axis], conv.strides[axis],
                       conv.dilations[axis], conv.pads[axis], conv.pads[2 + axis]);
    const std::int64_t after = kernel[axis] - 1 - taps.last;
    crop.conv.pads[axis] -= taps.first * conv.dilations[axis];
    crop.conv.pads[2 + axis] -= after * conv.dilations[axis];
    changed = changed || taps.first > 0 || after > 0;
  }
  return changed ? std::optional(crop) : std::nullopt;
}

std::optional<PatternSet> cropped(PatternSet patterns, std::int64_t width, const Crop& crop) {
  for (Pattern& pattern : patterns.patterns) {
    std::uint64_t bits = 0;
    int at = 0;
    for (std::int64_t row = crop.rows.first; row <= crop.rows.last; ++row) {
      for (std::int64_t column = crop.columns.first; column <= crop.columns.last; ++column, ++at)
        bits |= std::uint64_t{pattern.keeps(static_cast<int>(row * width + column))} << at;
    }
    pattern.bits = bits;
  }
  const bool equal =
      std::all_of(patterns.patterns.begin(), patterns.patterns.end(),
                  [&](const Pattern& p) { return p.size() == patterns.taps() && p.size() > 0; });
  return equal ? std::optional(std::move(patterns)) : std::nullopt;
}

ir::Graph crop_taps(ir::Graph graph, int max_patches) {
  return ir::rewrite(std::move(graph), "crop_taps", crop, max_patches);
}

}  // namespace xgen::passes
