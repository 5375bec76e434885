#include "core/ir/rewrite/fold_batch_norm.h"

#include <cmath>

namespace xgen::ir {

namespace {

/// Elements of the weight that belong to one output channel: w[channel * outer + i * inner].
struct ChannelLayout {
  std::size_t channels = 0;
  std::size_t outer = 1;
  std::size_t inner = 1;
};

/// Nothing for an operator that no batch norm is folded into.
std::optional<ChannelLayout> layout_of(const Node& node, const Constant& weight) {
  const auto size = static_cast<std::size_t>(weight.size());
  if (const auto* conv = node.as<Conv>()) {
    if (!(conv->epilogue == Epilogue{})) return std::nullopt;
    const auto channels = static_cast<std::size_t>(weight.shape[0]);
    return ChannelLayout{channels, size / channels, 1};
  }
  const auto* gemm = node.as<Gemm>();
  // beta scales the bias, which the formula does not have.
  if (gemm == nullptr || gemm->alpha != 1 || gemm->beta != 1) return std::nullopt;
  const auto channels = static_cast<std::size_t>(weight.shape[gemm->trans_b ? 0 : 1]);
  if (gemm->trans_b) return ChannelLayout{channels, size / channels, 1};
  return ChannelLayout{channels, 1, channels};
}

ConstantPtr multiplied(const Constant& weight, const ChannelLayout& layout,
                       const std::vector<float>& factor) {
  Constant result = weight;
  const auto w = result.as_mutable<float>();
  const std::size_t per_channel = w.size() / layout.channels;
  for (std::size_t c = 0; c < layout.channels; ++c) {
    for (std::size_t i = 0; i < per_channel; ++i)
      w[c * layout.outer + i * layout.inner] *= factor[c];
  }
  return std::make_shared<const Constant>(std::move(result));
}

std::optional<Patch> fold(const Graph& graph, const UseMap& uses, const Node& node,
                          bool fold_values) {
  const auto* bn = node.as<BatchNorm>();
  if (bn == nullptr) return std::nullopt;
  const int before = uses.producer[static_cast<std::size_t>(node.inputs[0])];
  // Another reader would still need the unfolded result, so folding would compute it twice.
  if (before < 0 || uses.uses[static_cast<std::size_t>(node.inputs[0])] != 1) return std::nullopt;
  const Node& linear = graph.nodes()[static_cast<std::size_t>(before)];
  if (!linear.as<Conv>() && !linear.as<Gemm>()) return std::nullopt;

  const Constant* weight = graph.constant(linear.input(1));
  const Constant* bias = graph.constant(linear.input(2));
  if (weight == nullptr || weight->dtype != DType::f32) return std::nullopt;
  if (linear.input(2) != kNoValue && bias == nullptr) return std::nullopt;
  for (std::size_t i = 1; i < 5; ++i) {
    if (graph.constant(node.input(i)) == nullptr) return std::nullopt;
  }
  const auto layout = layout_of(linear, *weight);
  if (!layout || (bias != nullptr && bias->size() != static_cast<std::int64_t>(layout->channels)))
    return std::nullopt;

  const auto parameter = [&](std::size_t i) { return graph.constant(node.input(i))->as<float>(); };
  const auto scale = parameter(1), shift = parameter(2), mean = parameter(3), var = parameter(4);
  std::vector<float> factor(layout->channels), folded_bias(layout->channels);
  for (std::size_t c = 0; c < layout->channels; ++c) {
    factor[c] = scale[c] / std::sqrt(var[c] + bn->epsilon);
    const float b = bias == nullptr ? 0.0F : bias->as<float>()[c];
    folded_bias[c] = (b - mean[c]) * factor[c] + shift[c];
  }

  Patch patch(graph);
  const Value& old_weight = graph.value(linear.inputs[1]);
  const ValueId new_weight =
      patch.constant(old_weight.name + ".folded",
                     fold_values ? multiplied(*weight, *layout, factor) : old_weight.constant);
  if (old_weight.sparsity) patch.set_sparsity(new_weight, *old_weight.sparsity);
  const ValueId new_bias =
      patch.constant(linear.name + ".bias.folded",
                     Constant::of<float>({static_cast<std::int64_t>(layout->channels)}, folded_bias,
                                         Role::parameter));
  patch.remove(linear).remove(node).add(linear.name + "+" + node.name, linear.op,
                                        {linear.inputs[0], new_weight, new_bias}, node.outputs);
  return patch;
}

}  // namespace

Graph fold_batch_norm(Graph graph, int max_patches, bool fold_values) {
  return rewrite(
      std::move(graph), "fold_batch_norm",
      [fold_values](const Graph& g, const UseMap& uses, const Node& node) {
        return fold(g, uses, node, fold_values);
      },
      max_patches);
}

}  // namespace xgen::ir
