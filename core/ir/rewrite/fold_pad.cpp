#include "core/ir/rewrite/fold_pad.h"

#include <algorithm>

namespace xgen::ir {

namespace {

using Pads = std::array<std::int64_t, 4>;

/// Top, left, bottom, right; nothing when the Pad is of another kind.
std::optional<Pads> zero_pads(const Graph& graph, const Node& node) {
  const Constant* pads = graph.constant(node.inputs[1]);
  if (!node.as<Pad>() || pads == nullptr || pads->size() != 8) return std::nullopt;
  if (node.input(2) != kNoValue) {
    const Constant* value = graph.constant(node.input(2));
    if (value == nullptr || value->dtype != DType::f32 || value->size() != 1 ||
        value->as<float>()[0] != 0) {
      return std::nullopt;
    }
  }
  const auto p = pads->as_integers();
  const bool spatial = p[0] == 0 && p[1] == 0 && p[4] == 0 && p[5] == 0;
  const bool cuts = std::any_of(p.begin(), p.end(), [](std::int64_t n) { return n < 0; });
  if (!spatial || cuts || graph.value(node.output()).type.dtype != DType::f32) return std::nullopt;
  return Pads{p[2], p[3], p[6], p[7]};
}

std::optional<Op> padded(const Op& op, const Pads& more) {
  const auto add = [&](Pads& pads) {
    for (std::size_t i = 0; i < 4; ++i) pads[i] += more[i];
  };
  if (const auto* conv = std::get_if<Conv>(&op)) {
    Conv wider = *conv;
    add(wider.pads);
    return wider;
  }
  const auto* pool = std::get_if<AveragePool>(&op);
  if (pool == nullptr || pool->ceil_mode) return std::nullopt;
  if (pool->pads != Pads{0, 0, 0, 0} && !pool->count_include_pad) return std::nullopt;
  AveragePool wider = *pool;
  add(wider.pads);
  wider.count_include_pad = true;
  return wider;
}

std::optional<Patch> fold(const Graph& graph, const UseMap& uses, const Node& node) {
  if (!node.as<Conv>() && !node.as<AveragePool>()) return std::nullopt;
  const int before = uses.producer[static_cast<std::size_t>(node.inputs[0])];
  if (before < 0 || uses.uses[static_cast<std::size_t>(node.inputs[0])] != 1) return std::nullopt;
  const Node& pad = graph.nodes()[static_cast<std::size_t>(before)];
  if (!pad.as<Pad>()) return std::nullopt;
  const auto pads = zero_pads(graph, pad);
  const auto op = pads ? padded(node.op, *pads) : std::nullopt;
  if (!op) return std::nullopt;
  std::vector<ValueId> inputs = node.inputs;
  inputs[0] = pad.inputs[0];
  Patch patch(graph);
  patch.remove(pad).remove(node).add(pad.name + "+" + node.name, *op, inputs, node.outputs);
  return patch;
}

}  // namespace

Graph fold_pad(Graph graph, int max_patches) {
  return rewrite(std::move(graph), "fold_pad", fold, max_patches);
}

}  // namespace xgen::ir
