#include "search/spaces/model_activations.h"

#include <algorithm>
#include <map>

namespace xgen::search {

namespace {

using ir::Binary;
using ir::Node;
using ir::ValueId;

// The one node that reads a value; null where there are several, or an output shows it.
const Node* only_reader(const ir::Graph& graph, const ir::UseMap& uses, ValueId id) {
  const auto at = static_cast<std::size_t>(id);
  if (uses.uses[at] != 1 || uses.readers[at].size() != 1) return nullptr;
  return &graph.nodes()[static_cast<std::size_t>(uses.readers[at][0])];
}

// Of a node of this kind the operand besides `known`; nothing for other nodes.
std::optional<ValueId> other_operand(const Node* node, Binary::Kind kind, ValueId known) {
  const auto* op = node == nullptr ? nullptr : node->as<Binary>();
  if (op == nullptr || op->kind != kind) return std::nullopt;
  if (node->inputs[0] == known) return node->inputs[1];
  return node->inputs[1] == known ? std::optional(node->inputs[0]) : std::nullopt;
}

// What a node multiplies or divides by a constant, or nothing.
std::optional<ValueId> scaled_by_constant(const ir::Graph& graph, const ir::UseMap& uses,
                                          ValueId id) {
  const int at = uses.producer[static_cast<std::size_t>(id)];
  if (at < 0) return std::nullopt;
  const Node& node = graph.nodes()[static_cast<std::size_t>(at)];
  const auto* op = node.as<Binary>();
  if (op == nullptr || (op->kind != Binary::Kind::mul && op->kind != Binary::Kind::div))
    return std::nullopt;
  if (graph.is_constant(node.inputs[1])) return node.inputs[0];
  const bool product = op->kind == Binary::Kind::mul && graph.is_constant(node.inputs[0]);
  return product ? std::optional(node.inputs[1]) : std::nullopt;
}

std::optional<ActivationPlace> gelu_around(const ir::Graph& graph, const ir::UseMap& uses,
                                           const Node& erf) {
  const std::optional<ValueId> x = scaled_by_constant(graph, uses, erf.inputs[0]);
  const Node* sum = only_reader(graph, uses, erf.output());
  const auto one = other_operand(sum, Binary::Kind::add, erf.output());
  if (!x || !one || !graph.is_constant(*one)) return std::nullopt;
  const auto place = [&](const Node& last) {
    return ActivationPlace{last.name, graph.value(*x).name};
  };
  // The sum is multiplied by x and by a half, one after the other, or by half of x.
  const Node* product = only_reader(graph, uses, sum->output());
  const auto factor = other_operand(product, Binary::Kind::mul, sum->output());
  if (!factor) return std::nullopt;
  const bool constant = graph.is_constant(*factor);
  if (!constant && scaled_by_constant(graph, uses, *factor) == x) return place(*product);
  if (!constant && *factor != *x) return std::nullopt;
  const Node* last = only_reader(graph, uses, product->output());
  const auto rest = other_operand(last, Binary::Kind::mul, product->output());
  if (!rest || (constant ? *rest != *x : !graph.is_constant(*rest))) return std::nullopt;
  return place(*last);
}

bool feeds_layers_alone(const ir::Graph& graph, const ir::UseMap& uses, ValueId id) {
  const auto at = static_cast<std::size_t>(id);
  const std::span<const int> readers = uses.readers[at];
  return readers.size() == static_cast<std::size_t>(uses.uses[at]) &&
         std::all_of(readers.begin(), readers.end(), [&](int reader) {
           const Node& node = graph.nodes()[static_cast<std::size_t>(reader)];
           return node.as<ir::Conv>() || node.as<ir::Gemm>() || node.as<ir::MatMul>() ||
                  node.as<ir::MaxPool>() || node.as<ir::AveragePool>() ||
                  node.as<ir::GlobalAveragePool>() || node.as<ir::BatchNorm>();
         });
}

}  // namespace

std::vector<ActivationPlace> activation_places(const ir::Graph& graph) {
  using Kind = ir::Unary::Kind;
  const ir::UseMap uses(graph);
  std::vector<ActivationPlace> places;
  for (const Node& node : graph.nodes()) {
    const auto* op = node.as<ir::Unary>();
    if (op == nullptr) continue;
    if (op->kind == Kind::erf) {
      if (const auto gelu = gelu_around(graph, uses, node)) places.push_back(*gelu);
    } else if (op->kind == Kind::silu || op->kind == Kind::hard_swish ||
               ((op->kind == Kind::sigmoid || op->kind == Kind::tanh) &&
                feeds_layers_alone(graph, uses, node.output()))) {
      places.push_back({node.name, graph.value(node.inputs[0]).name});
    }
  }
  return places;
}

std::optional<ir::Unary> activation_of(const std::string& name) {
  ir::Unary op;
  if (name == "relu") return op;
  if (name == "hard_swish") return ir::Unary{ir::Unary::Kind::hard_swish};
  if (name != "relu6") return std::nullopt;
  op.kind = ir::Unary::Kind::clip;
  op.low = 0;
  op.high = 6;
  return op;
}

ir::Graph with_activation(ir::Graph graph, const std::vector<ActivationPlace>& places,
                          const ir::Unary& activation) {
  std::map<std::string, std::string> input_of;
  for (const ActivationPlace& place : places) input_of[place.node] = place.input;
  for (Node& node : graph.mutable_nodes()) {
    const auto place = input_of.find(node.name);
    if (place == input_of.end()) continue;
    node.op = activation;
    node.inputs = {graph.find(place->second)};
  }
  return graph.pruned();
}

}  // namespace xgen::search
