#include "codegen/passes/to_conv.h"

#include <algorithm>
#include <cmath>

namespace xgen::passes {

namespace {

using ir::Constant;
using ir::Extents;
using ir::Node;
using ir::ValueId;

const Node* producer_of(const ir::Graph& graph, const ir::UseMap& uses, ValueId value) {
  const int at = uses.producer[static_cast<std::size_t>(value)];
  return at < 0 ? nullptr : &graph.nodes()[static_cast<std::size_t>(at)];
}

Extents shape_of(const ir::Graph& graph, ValueId id) {
  return ir::extents(*graph.value(id).type.shape);
}

// The rows of a weight as filters [n, k]; scaled where Gemm scales.
template <class T>
Constant filters_of(const Constant& weight, bool transposed, float factor, const Extents& shape) {
  const auto from = weight.as<T>();
  const auto n = static_cast<std::size_t>(shape[0]), k = from.size() / n;
  std::vector<T> to(from.size());
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < k; ++j) {
      const T value = transposed ? from[i * k + j] : from[j * n + i];
      if constexpr (std::is_same_v<T, float>)
        to[i * k + j] = value * factor;
      else
        to[i * k + j] = value;
    }
  }
  return Constant::of<T>(shape, to, weight.role);
}

std::optional<ir::Patch> gemm_to_conv(const ir::Graph& graph, const ir::UseMap& uses,
                                      const Node& node) {
  const auto* gemm = node.as<ir::Gemm>();
  const bool matmul = node.as<ir::MatMul>() != nullptr;
  if (gemm == nullptr && !matmul) return std::nullopt;
  const ir::Gemm options = gemm != nullptr ? *gemm : ir::Gemm{};
  const ValueId x = node.inputs[0];
  const Constant* weight = graph.constant(node.inputs[1]);
  const Constant* bias = gemm != nullptr ? graph.constant(node.input(2)) : nullptr;
  if (weight == nullptr || weight->shape.size() != 2 || options.trans_a) return std::nullopt;
  if (gemm != nullptr && node.input(2) != ir::kNoValue && bias == nullptr) return std::nullopt;
  const Extents in = shape_of(graph, x);
  if (in.size() != 2 || in[0] != 1) return std::nullopt;
  const bool integer = weight->dtype == ir::DType::i8;
  if (!integer && weight->dtype != ir::DType::f32) return std::nullopt;
  if (integer && (options.alpha != 1 || options.beta != 1)) return std::nullopt;
  const std::int64_t n = options.trans_b ? weight->shape[0] : weight->shape[1], k = in[1];
  if (bias != nullptr && bias->size() != n && bias->size() != 1) return std::nullopt;

  ir::Patch patch(graph);
  const ir::TensorType in_type = graph.value(x).type, out_type = graph.value(node.output()).type;
  const ir::Value& old_weight = graph.value(node.inputs[1]);
  // Through a flatten of planes the layer is a convolution as large as the plane; not where a mask
  // speaks of the features, which would be channels and taps there.
  ValueId source = x;
  Extents kernel{n, k, 1, 1};
  const Node* flatten = producer_of(graph, uses, x);
  if (flatten != nullptr && !old_weight.sparsity &&
      (flatten->as<ir::Flatten>() != nullptr || flatten->as<ir::Reshape>() != nullptr) &&
      graph.value(flatten->inputs[0]).type.shape) {
    const Extents planes = shape_of(graph, flatten->inputs[0]);
    if (planes.size() == 4 && planes[0] == 1 && planes[1] * planes[2] * planes[3] == k &&
        planes[2] * planes[3] <= 64) {
      source = flatten->inputs[0];
      kernel = {n, planes[1], planes[2], planes[3]};
    }
  }
  if (source == x) {
    ir::TensorType type = in_type;
    type.shape = ir::Shape{1, k, 1, 1};
    source = patch.value(graph.value(x).name + "_4d", type);
    const ValueId shape =
        patch.constant(node.name + "_shape", Constant::of<std::int64_t>({4}, {1, k, 1, 1}));
    patch.add(node.name + "_4d", ir::Reshape{}, {x, shape}, {source});
  }
  Constant filters = integer ? filters_of<std::int8_t>(*weight, options.trans_b, 1, kernel)
                             : filters_of<float>(*weight, options.trans_b, options.alpha, kernel);
  const ValueId w = patch.constant(old_weight.name + "_filters", std::move(filters));
  // Scales of the output features are those of the filters, whichever axis they had.
  std::optional<ir::QuantParams> quant = old_weight.type.quant;
  if (quant) quant->axis = quant->scale.size() > 1 ? 0 : -1;
  patch.retype(w, {weight->dtype, ir::to_shape(kernel), quant});
  std::vector<ValueId> inputs{source, w};
  if (bias != nullptr) {
    if (integer) {
      inputs.push_back(node.inputs[2]);
    } else {
      std::vector<float> b(static_cast<std::size_t>(n));
      for (std::size_t i = 0; i < b.size(); ++i)
        b[i] = bias->as<float>()[bias->size() == 1 ? 0 : i] * options.beta;
      inputs.push_back(
          patch.constant(node.name + "_bias", Constant::of<float>({n}, b, bias->role)));
    }
  }
  ir::TensorType conv_type = out_type;
  conv_type.shape = ir::Shape{1, n, 1, 1};
  const ValueId y = patch.value(graph.value(node.output()).name + "_4d", conv_type);
  patch.remove(node).add(node.name, ir::Conv{}, std::move(inputs), {y});
  patch.add(node.name + "_flat", ir::Flatten{}, {y}, node.outputs);
  if (old_weight.sparsity) patch.set_sparsity(w, *old_weight.sparsity);
  return patch;
}

std::optional<ir::Patch> batch_norm_to_conv(const ir::Graph& graph, const Node& node) {
  const auto* bn = node.as<ir::BatchNorm>();
  if (bn == nullptr || shape_of(graph, node.inputs[0]).size() != 4) return std::nullopt;
  const Constant* p[4];
  for (std::size_t i = 0; i < 4; ++i) {
    p[i] = graph.constant(node.inputs[i + 1]);
    if (p[i] == nullptr) return std::nullopt;
  }
  const std::int64_t c = p[0]->size();
  std::vector<float> weight(static_cast<std::size_t>(c)), bias(weight.size());
  for (std::size_t i = 0; i < weight.size(); ++i) {
    weight[i] = p[0]->as<float>()[i] / std::sqrt(p[3]->as<float>()[i] + bn->epsilon);
    bias[i] = p[1]->as<float>()[i] - p[2]->as<float>()[i] * weight[i];
  }
  ir::Conv conv;
  conv.groups = c;
  ir::Patch patch(graph);
  const ValueId w =
      patch.constant(node.name + "_weight", Constant::of<float>({c, 1, 1, 1}, weight));
  const ValueId b = patch.constant(node.name + "_bias", Constant::of<float>({c}, bias));
  patch.remove(node).add(node.name, conv, {node.inputs[0], w, b}, node.outputs);
  return patch;
}

std::optional<ir::Patch> mean_to_pool(const ir::Graph& graph, const Node& node) {
  const auto* reduce = node.as<ir::Reduce>();
  if (reduce == nullptr || reduce->kind != ir::Reduce::Kind::mean || !reduce->keep_dims)
    return std::nullopt;
  const Constant* axes = graph.constant(node.input(1));
  if (axes == nullptr || shape_of(graph, node.inputs[0]).size() != 4) return std::nullopt;
  auto list = axes->as_integers();
  for (std::int64_t& a : list) a = a < 0 ? a + 4 : a;
  std::sort(list.begin(), list.end());
  if (list != std::vector<std::int64_t>{2, 3}) return std::nullopt;
  ir::Patch patch(graph);
  patch.remove(node).add(node.name, ir::GlobalAveragePool{}, {node.inputs[0]}, node.outputs);
  return patch;
}

// A window as large as the image is a mean over it.
std::optional<ir::Patch> whole_window_to_pool(const ir::Graph& graph, const Node& node) {
  const auto* pool = node.as<ir::AveragePool>();
  if (pool == nullptr || pool->pads != std::array<std::int64_t, 4>{0, 0, 0, 0}) return std::nullopt;
  const Extents x = shape_of(graph, node.inputs[0]), y = shape_of(graph, node.output());
  if (x.size() != 4 || pool->kernel[0] != x[2] || pool->kernel[1] != x[3] || y[2] != 1 || y[3] != 1)
    return std::nullopt;
  ir::Patch patch(graph);
  patch.remove(node).add(node.name, ir::GlobalAveragePool{}, {node.inputs[0]}, node.outputs);
  return patch;
}

}  // namespace

ir::Graph to_conv(ir::Graph graph, int max_patches) {
  return ir::rewrite(
      std::move(graph), "to_conv",
      [](const ir::Graph& g, const ir::UseMap& uses, const Node& node) -> std::optional<ir::Patch> {
        if (auto patch = gemm_to_conv(g, uses, node)) return patch;
        if (auto patch = batch_norm_to_conv(g, node)) return patch;
        if (auto patch = mean_to_pool(g, node)) return patch;
        return whole_window_to_pool(g, node);
      },
      max_patches);
}

}  // namespace xgen::passes
