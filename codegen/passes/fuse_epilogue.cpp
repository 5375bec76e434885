#include "codegen/passes/fuse_epilogue.h"

#include "core/ir/activation.h"

namespace xgen::passes {

namespace {

using ir::Activation;
using ir::Conv;
using ir::Node;
using ir::Unary;
using ir::ValueId;

// The convolution that computes `value` for this one reader alone, with a constant weight, or null.
const Node* own_conv(const ir::Graph& graph, const ir::UseMap& uses, ValueId value) {
  const auto v = static_cast<std::size_t>(value);
  if (uses.producer[v] < 0 || uses.uses[v] != 1) return nullptr;
  const Node& node = graph.nodes()[static_cast<std::size_t>(uses.producer[v])];
  return node.as<Conv>() != nullptr && graph.is_constant(node.inputs[1]) ? &node : nullptr;
}

std::optional<ir::Patch> fuse_activation(const ir::Graph& graph, const ir::UseMap& uses,
                                         const Node& node) {
  const auto* unary = node.as<Unary>();
  if (unary == nullptr) return std::nullopt;
  const Node* conv = own_conv(graph, uses, node.inputs[0]);
  const std::optional<Activation> activation = ir::to_activation(*unary);
  if (conv == nullptr || !activation ||
      conv->as<Conv>()->epilogue.activation.kind != Activation::Kind::none)
    return std::nullopt;
  const ir::Value &before = graph.value(conv->output()), &after = graph.value(node.output());
  if (before.type.dtype != after.type.dtype) return std::nullopt;
  // A clip of u8 in the same scale narrows the interval; anything else would drop a rounding.
  const bool integer = after.type.dtype == ir::DType::u8;
  if (integer &&
      (activation->kind != Activation::Kind::clip || before.type.quant != after.type.quant))
    return std::nullopt;
  if (graph.constant(conv->inputs[1])->dtype == ir::DType::i8 &&
      activation->kind != Activation::Kind::clip)
    return std::nullopt;
  Conv fused = *conv->as<Conv>();
  fused.epilogue.activation = *activation;
  ir::Patch patch(graph);
  patch.remove(*conv).remove(node).add(conv->name + "+" + node.name, fused, conv->inputs,
                                       node.outputs);
  return patch;
}

std::optional<ir::Patch> fuse_residual(const ir::Graph& graph, const ir::UseMap& uses,
                                       const Node& node) {
  const auto* binary = node.as<ir::Binary>();
  if (binary == nullptr || binary->kind != ir::Binary::Kind::add) return std::nullopt;
  const ir::Value& out = graph.value(node.output());
  if (!out.type.shape || out.type.shape->size() != 4) return std::nullopt;
  // At one position another kernel serves, which adds nothing.
  const ir::Shape& shape = *out.type.shape;
  if (shape[2] == ir::Dim(1) && shape[3] == ir::Dim(1)) return std::nullopt;
  // The fused node stands where the addition stood, so either operand serves; of two, the later one
  // is taken.
  int best = -1, best_position = -1;
  for (int i = 0; i < 2; ++i) {
    const Node* conv = own_conv(graph, uses, node.inputs[static_cast<std::size_t>(i)]);
    const ValueId other = node.inputs[static_cast<std::size_t>(1 - i)];
    if (conv == nullptr || graph.is_constant(other)) continue;
    const ir::Epilogue& e = conv->as<Conv>()->epilogue;
    const bool clips =
        e.activation.kind == Activation::Kind::none || e.activation.kind == Activation::Kind::clip;
    const ir::Value &own = graph.value(node.inputs[static_cast<std::size_t>(i)]),
                    &residual = graph.value(other);
    if (e.residual || !clips || own.type.shape != residual.type.shape) continue;
    if (own.type.dtype != out.type.dtype || residual.type.dtype != out.type.dtype) continue;
    const int position = uses.producer[static_cast<std::size_t>(conv->output())];
    if (position > best_position) {
      best = i;
      best_position = position;
    }
  }
  if (best < 0) return std::nullopt;
  const Node& conv = graph.nodes()[static_cast<std::size_t>(best_position)];
  Conv fused = *conv.as<Conv>();
  fused.epilogue.before_add = std::exchange(fused.epilogue.activation, Activation{});
  fused.epilogue.residual = true;
  if (out.type.dtype == ir::DType::u8)
    fused.epilogue.before_residual = graph.value(conv.output()).type.quant;
  std::vector<ValueId> inputs = conv.inputs;
  if (inputs.size() == 2) inputs.push_back(ir::kNoValue);
  inputs.push_back(node.inputs[static_cast<std::size_t>(1 - best)]);
  ir::Patch patch(graph);
  patch.remove(conv).remove(node).add(conv.name + "+" + node.name, fused, std::move(inputs),
                                      node.outputs);
  return patch;
}

}  // namespace

ir::Graph fuse_epilogue(ir::Graph graph, int max_patches) {
  return ir::rewrite(
      std::move(graph), "fuse_epilogue",
      [](const ir::Graph& g, const ir::UseMap& uses, const Node& node) -> std::optional<ir::Patch> {
        if (auto patch = fuse_activation(g, uses, node)) return patch;
        return fuse_residual(g, uses, node);
      },
      max_patches);
}

}  // namespace xgen::passes
