#include "codegen/latency/single_layer.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "codegen/passes/crop_taps.h"
#include "codegen/passes/hoist_stride.h"
#include "core/error.h"
#include "core/ir/infer_shapes.h"

namespace xgen::latency {

namespace {

// Eight natural patterns of four taps around the centre; other counts take the first taps.
PatternSet patterns_of(const LayerShape& shape, int taps) {
  const int all = shape.kernel_h * shape.kernel_w;
  if (taps == 4 && shape.kernel_h == 3 && shape.kernel_w == 3) {
    return {{{0b000'011'011},
             {0b000'110'110},
             {0b011'011'000},
             {0b110'110'000},
             {0b000'111'010},
             {0b010'011'010},
             {0b010'110'010},
             {0b010'111'000}}};
  }
  const int kept = taps == 0 ? all : std::min(taps, all);
  return {{{kept >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << kept) - 1}}};
}

WeightShape weight_of(const LayerShape& shape) {
  return {shape.c_out, shape.c_in / shape.groups, shape.kernel_h, shape.kernel_w};
}

Sparsity blocks_of(const LayerVariant& variant) {
  Sparsity s;
  s.scheme = variant.scheme;
  s.group_out = variant.group_out;
  s.lane_channels = variant.lane_channels;
  return s;
}

Sparsity seeded_mask(const LayerShape& shape, const LayerVariant& variant) {
  const MaskForm form = mask_form(shape, variant);
  Sparsity s = blocks_of(variant);
  s.patterns = form.patterns;
  std::uint64_t state = 0x9E3779B97F4A7C15ULL;
  const auto below = [&](int n) {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    return static_cast<int>((state >> 33) % static_cast<std::uint64_t>(n));
  };
  for (int g = 0; g < weight_of(shape).groups(s); ++g) {
    std::vector<int> order(static_cast<std::size_t>(form.lanes));
    std::iota(order.begin(), order.end(), 0);
    for (int i = form.lanes - 1; i > 0; --i)
      std::swap(order[static_cast<std::size_t>(i)], order[static_cast<std::size_t>(below(i + 1))]);
    std::vector<std::int32_t> row(static_cast<std::size_t>(form.lanes), Sparsity::kNone);
    for (int i = 0; i < form.live; ++i)
      row[static_cast<std::size_t>(order[static_cast<std::size_t>(i)])] = below(s.patterns.size());
    s.kept.insert(s.kept.end(), row.begin(), row.end());
  }
  return s;
}

ir::QuantParams per_tensor(float scale, int zero) { return {{scale}, {zero}, -1}; }

// A convolution in the type of `x`, with weights called NAME/w and a bias.
// @param more  inputs after the bias.
ir::ValueId add_conv(ir::Graph& graph, const std::string& name, const ir::Conv& conv, ir::ValueId x,
                     const ir::Extents& weight, const std::vector<ir::ValueId>& more = {}) {
  const bool int8 = graph.value(x).type.dtype == ir::DType::u8;
  const auto count = static_cast<std::size_t>(ir::element_count(weight)),
             filters = static_cast<std::size_t>(weight[0]);
  const ir::ValueId w = graph.add_constant(
      name + "/w", int8 ? ir::Constant::of<std::int8_t>(weight, std::vector<std::int8_t>(count, 1))
                        : ir::Constant::of<float>(weight, std::vector<float>(count, 0.01F)));
  const ir::ValueId b = graph.add_constant(
      name + "/b",
      int8 ? ir::Constant::of<std::int32_t>({weight[0]}, std::vector<std::int32_t>(filters, 5))
           : ir::Constant::of<float>({weight[0]}, std::vector<float>(filters, 0.5F)));
  std::vector<ir::ValueId> inputs{x, w, b};
  inputs.insert(inputs.end(), more.begin(), more.end());
  const ir::ValueId y = graph.add_node(name, conv, inputs);
  if (int8) {
    graph.value(w).type.quant = ir::QuantParams{std::vector<float>(filters, 0.001F),
                                                std::vector<std::int32_t>(filters, 0), 0};
    graph.value(y).type.dtype = ir::DType::u8;
    graph.value(y).type.quant = per_tensor(0.05F, 3);
  }
  return y;
}

}  // namespace

LayerShape square_layer(int c_in, int c_out, int kernel, int size, bool int8) {
  LayerShape shape;
  shape.c_in = c_in;
  shape.c_out = c_out;
  shape.kernel_h = shape.kernel_w = kernel;
  shape.height = shape.width = size;
  shape.pad_top = shape.pad_left = shape.pad_bottom = shape.pad_right = kernel / 2;
  shape.int8 = int8;
  return shape;
}

ir::Conv conv_of(const LayerShape& shape) {
  ir::Conv conv;
  conv.strides = {shape.stride, shape.stride};
  conv.dilations = {shape.dilation, shape.dilation};
  conv.pads = {shape.pad_top, shape.pad_left, shape.pad_bottom, shape.pad_right};
  conv.groups = shape.groups;
  return conv;
}

std::array<int, 2> result_of(const LayerShape& shape) {
  const auto extent = [&](int size, int kernel, int before, int after) {
    return (size + before + after - shape.dilation * (kernel - 1) - 1) / shape.stride + 1;
  };
  return {extent(shape.height, shape.kernel_h, shape.pad_top, shape.pad_bottom),
          extent(shape.width, shape.kernel_w, shape.pad_left, shape.pad_right)};
}

MaskForm mask_form(const LayerShape& shape, const LayerVariant& variant) {
  const int lanes = weight_of(shape).lanes(blocks_of(variant));
  const int live = std::clamp(static_cast<int>(std::lround(lanes * variant.kept_blocks)), 1, lanes);
  return {patterns_of(shape, variant.taps), lanes, live};
}

ir::ValueId add_layer(ir::Graph& graph, const std::string& name, const LayerShape& shape,
                      const LayerVariant& variant, ir::Activation::Kind activation, ir::ValueId x,
                      ir::ValueId residual) {
  ir::Conv conv = conv_of(shape);
  conv.epilogue.activation = {activation, 0, std::numeric_limits<float>::infinity(), 0.1F, 0.5F};
  std::vector<ir::ValueId> more;
  if (residual != ir::kNoValue) {
    conv.epilogue.residual = true;
    if (shape.int8) conv.epilogue.before_residual = per_tensor(0.04F, 9);
    more.push_back(residual);
  }
  const ir::Extents weight{shape.c_out, shape.c_in / shape.groups, shape.kernel_h, shape.kernel_w};
  const ir::ValueId y = add_conv(graph, name, conv, x, weight, more);
  if (variant.scheme != Sparsity::Scheme::dense)
    graph.value(graph.find(name + "/w")).sparsity = seeded_mask(shape, variant);
  return y;
}

ir::Graph lowering_form(ir::Graph graph) {
  graph = ir::infer_shapes(passes::crop_taps(ir::infer_shapes(std::move(graph))));
  return ir::infer_shapes(passes::hoist_stride(std::move(graph)));
}

ir::Graph single_layer(const LayerShape& shape, const LayerVariant& variant,
                       const LayerExtras& extras) {
  ir::Graph graph;
  graph.name = "layer";
  const auto input = [&](const char* name, int channels, int height, int width,
                         const ir::QuantParams& quant) {
    const ir::DType type = shape.int8 ? ir::DType::u8 : ir::DType::f32;
    const ir::ValueId id = graph.add_input(name, {type, ir::Shape{1, channels, height, width}, {}});
    if (shape.int8) graph.value(id).type.quant = quant;
    return id;
  };
  const ir::ValueId x = input("x", shape.c_in, shape.height, shape.width, per_tensor(0.02F, 7));
  ir::ValueId residual = ir::kNoValue;
  if (extras.residual) {
    const auto [height, width] = result_of(shape);
    residual = input("r", shape.c_out, height, width, per_tensor(0.03F, 5));
  }
  graph.set_outputs({add_layer(graph, "y", shape, variant, extras.activation, x, residual)});
  return lowering_form(std::move(graph));
}

int layer_step(const Program& program) {
  const auto conv = std::find_if(program.steps.begin(), program.steps.end(),
                                 [](const Step& s) { return s.op == "Conv"; });
  XGEN_CHECK(conv != program.steps.end(), "no convolution in ", program.name);
  return static_cast<int>(conv - program.steps.begin());
}

std::optional<LayerShape> layer_of(const ir::Graph& graph, const ir::Node& node, bool int8) {
  const auto* conv = node.as<ir::Conv>();
  if (conv == nullptr || !graph.value(node.inputs[0]).type.shape ||
      !graph.value(node.inputs[1]).type.shape)
    return std::nullopt;
  const ir::Shape &x = *graph.value(node.inputs[0]).type.shape,
                  &w = *graph.value(node.inputs[1]).type.shape;
  if (x.size() != 4 || !x[2].is_static() || !x[3].is_static() ||
      conv->strides[0] != conv->strides[1] || conv->dilations[0] != conv->dilations[1])
    return std::nullopt;
  LayerShape s;
  s.c_in = static_cast<int>(x[1].size);
  s.c_out = static_cast<int>(w[0].size);
  s.kernel_h = static_cast<int>(w[2].size);
  s.kernel_w = static_cast<int>(w[3].size);
  s.stride = static_cast<int>(conv->strides[0]);
  s.dilation = static_cast<int>(conv->dilations[0]);
  s.groups = static_cast<int>(conv->groups);
  s.height = static_cast<int>(x[2].size);
  s.width = static_cast<int>(x[3].size);
  s.pad_top = static_cast<int>(conv->pads[0]);
  s.pad_left = static_cast<int>(conv->pads[1]);
  s.pad_bottom = static_cast<int>(conv->pads[2]);
  s.pad_right = static_cast<int>(conv->pads[3]);
  s.int8 = int8;
  return s;
}

}  // namespace xgen::latency
