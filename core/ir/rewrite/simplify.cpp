#include "core/ir/rewrite/simplify.h"

#include <algorithm>
#include <cmath>

namespace xgen::ir {

namespace {

const Node* producer_of(const Graph& graph, const UseMap& uses, ValueId id) {
  const int n = id == kNoValue ? -1 : uses.producer[static_cast<std::size_t>(id)];
  return n < 0 ? nullptr : &graph.nodes()[static_cast<std::size_t>(n)];
}

bool is_output(const Graph& graph, ValueId id) {
  return std::find(graph.outputs().begin(), graph.outputs().end(), id) != graph.outputs().end();
}

/// Readers of `node` read its input instead. An output of the graph keeps its name: then the node
/// before computes it, which needs that nothing else reads that node.
std::optional<Patch> bypass(const Graph& graph, const UseMap& uses, const Node& node) {
  const ValueId in = node.inputs[0];
  Patch patch(graph);
  if (!is_output(graph, node.output())) {
    patch.remove(node).replace(node.output(), in);
    return patch;
  }
  const Node* before = producer_of(graph, uses, in);
  if (before == nullptr || uses.uses[static_cast<std::size_t>(in)] != 1) return std::nullopt;
  patch.remove(*before).remove(node);
  patch.add(before->name, before->op, before->inputs, {node.output()});
  return patch;
}

bool all_of(const Constant* constant, std::int64_t value) {
  if (constant == nullptr) return false;
  const auto numbers = constant->as_integers();
  return std::all_of(numbers.begin(), numbers.end(), [&](std::int64_t n) { return n == value; });
}

bool changes_nothing(const Graph& graph, const Node& node) {
  const auto& x = graph.value(node.inputs[0]).type;
  const auto& y = graph.value(node.output()).type;
  const bool same_shape = x.shape && y.shape && *x.shape == *y.shape;
  if (node.as<Dropout>()) return true;
  if (node.as<Concat>()) return node.inputs.size() == 1;
  if (const auto* cast = node.as<Cast>()) return x.dtype == cast->to;
  if (node.as<Reshape>() || node.as<Flatten>() || node.as<Squeeze>() || node.as<Unsqueeze>())
    return same_shape;
  if (node.as<GlobalAveragePool>()) return same_shape;  // of one position
  if (node.as<Pad>()) return all_of(graph.constant(node.inputs[1]), 0);
  // With the same extents a slice takes everything, unless it runs backwards.
  if (node.as<Slice>())
    return same_shape && (node.input(4) == kNoValue || all_of(graph.constant(node.input(4)), 1));
  if (const auto* transpose = node.as<Transpose>())
    return std::is_sorted(transpose->perm.begin(), transpose->perm.end());
  return false;
}

std::optional<Patch> remove_no_op(const Graph& graph, const UseMap& uses, const Node& node) {
  return changes_nothing(graph, node) ? bypass(graph, uses, node) : std::nullopt;
}

std::optional<Patch> merge_transposes(const Graph& graph, const UseMap& uses, const Node& node) {
  const auto* second = node.as<Transpose>();
  const Node* before = second == nullptr ? nullptr : producer_of(graph, uses, node.inputs[0]);
  const auto* first = before == nullptr ? nullptr : before->as<Transpose>();
  if (first == nullptr) return std::nullopt;
  Transpose merged;
  for (const std::int64_t p : second->perm)
    merged.perm.push_back(first->perm[static_cast<std::size_t>(p)]);
  Patch patch(graph);
  patch.remove(node).add(before->name + "+" + node.name, merged, before->inputs, node.outputs);
  return patch;
}

std::optional<Patch> merge_reshapes(const Graph& graph, const UseMap& uses, const Node& node) {
  const auto* second = node.as<Reshape>();
  const Node* before = second == nullptr ? nullptr : producer_of(graph, uses, node.inputs[0]);
  if (before == nullptr || !(before->as<Reshape>() || before->as<Flatten>() ||
                             before->as<Squeeze>() || before->as<Unsqueeze>())) {
    return std::nullopt;
  }
  const Constant* shape = graph.constant(node.inputs[1]);
  if (shape == nullptr) return std::nullopt;
  // 0 copies an extent of the tensor that would be skipped.
  const auto numbers = shape->as_integers();
  const bool copies = std::find(numbers.begin(), numbers.end(), 0) != numbers.end();
  if (copies && !second->allow_zero) return std::nullopt;
  Patch patch(graph);
  patch.remove(node).add(before->name + "+" + node.name, *second,
                         {before->inputs[0], node.inputs[1]}, node.outputs);
  return patch;
}

std::optional<Patch> merge_gate(const Graph& graph, const UseMap& uses, const Node& node) {
  const auto* binary = node.as<Binary>();
  if (binary == nullptr || binary->kind != Binary::Kind::mul) return std::nullopt;
  for (std::size_t i = 0; i < 2; ++i) {
    const ValueId x = node.inputs[i];
    const ValueId gated = node.inputs[1 - i];
    const Node* gate = producer_of(graph, uses, gated);
    if (gate == nullptr || gate->inputs[0] != x) continue;
    const auto* unary = gate->as<Unary>();
    if (unary == nullptr || uses.uses[static_cast<std::size_t>(gated)] != 1) continue;
    Unary merged;
    if (unary->kind == Unary::Kind::sigmoid)
      merged.kind = Unary::Kind::silu;
    else if (unary->kind == Unary::Kind::hard_sigmoid &&
             std::abs(unary->alpha - 1.0F / 6.0F) < 1e-6F && unary->beta == 0.5F)
      merged.kind = Unary::Kind::hard_swish;
    else
      continue;
    Patch patch(graph);
    patch.remove(*gate).remove(node);
    patch.add(gate->name + "+" + node.name, merged, {x}, node.outputs);
    return patch;
  }
  return std::nullopt;
}

}  // namespace

Graph simplify(Graph graph, int max_patches) {
  return rewrite(
      std::move(graph), "simplify",
      [](const Graph& g, const UseMap& uses, const Node& node) -> std::optional<Patch> {
        if (node.inputs.empty()) return std::nullopt;
        for (const auto rule : {remove_no_op, merge_transposes, merge_reshapes, merge_gate}) {
          if (auto patch = rule(g, uses, node)) return patch;
        }
        return std::nullopt;
      },
      max_patches);
}

}  // namespace xgen::ir
