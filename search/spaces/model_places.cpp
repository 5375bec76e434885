#include "search/spaces/model_places.h"

#include <algorithm>
#include <regex>
#include <set>
#include <sstream>

namespace xgen::search {

namespace {

using ir::Node;
using ir::ValueId;

bool is_output(const ir::Graph& graph, ValueId id) {
  return std::find(graph.outputs().begin(), graph.outputs().end(), id) != graph.outputs().end();
}

bool same_shape(const ir::Graph& graph, ValueId a, ValueId b) {
  return graph.value(a).type == graph.value(b).type;
}

// The branch that ends in `from` and begins at `begin`; nothing where it reads anything else that
// is computed, or where another node reads what is inside of it.
std::optional<std::vector<std::string>> branch_between(const ir::Graph& graph,
                                                       const ir::UseMap& uses, const Node& add,
                                                       ValueId from, ValueId begin) {
  std::set<int> inside;
  std::vector<ValueId> open = {from};
  bool reaches = false, learns = false;
  while (!open.empty()) {
    const ValueId id = open.back();
    open.pop_back();
    if (id == begin) reaches = true;
    if (id == begin || id == ir::kNoValue || graph.is_constant(id)) continue;
    const int at = uses.producer[static_cast<std::size_t>(id)];
    if (at < 0) return std::nullopt;
    if (!inside.insert(at).second) continue;
    const Node& node = graph.nodes()[static_cast<std::size_t>(at)];
    learns = learns || node.as<ir::Conv>() || node.as<ir::Gemm>() || node.as<ir::MatMul>();
    open.insert(open.end(), node.inputs.begin(), node.inputs.end());
  }
  if (!reaches || !learns) return std::nullopt;
  std::vector<std::string> names;
  for (const int at : inside) {
    const Node& node = graph.nodes()[static_cast<std::size_t>(at)];
    names.push_back(node.name);
    for (const ValueId out : node.outputs) {
      if (is_output(graph, out)) return std::nullopt;
      for (const int reader : uses.readers[static_cast<std::size_t>(out)]) {
        const bool is_add = &graph.nodes()[static_cast<std::size_t>(reader)] == &add;
        if (inside.count(reader) == 0 && !is_add) return std::nullopt;
      }
    }
  }
  return names;
}

}  // namespace

std::optional<std::vector<OperatorLayer>> operator_layers(const std::string& name) {
  if (name == "skip") return std::vector<OperatorLayer>{};
  static const std::regex form("(dw)?([1357])x([1357])");
  std::vector<OperatorLayer> layers;
  std::istringstream parts(name + "+");
  for (std::string part; std::getline(parts, part, '+');) {
    std::smatch match;
    if (!std::regex_match(part, match, form) || match[2] != match[3]) return std::nullopt;
    layers.push_back({std::stoll(match[2]), match[1].matched});
  }
  return layers;
}

std::vector<ConvolutionPlace> convolution_places(const ir::Graph& graph) {
  const ir::UseMap uses(graph);
  std::vector<ConvolutionPlace> places;
  for (const Node& node : graph.nodes()) {
    const auto* conv = node.as<ir::Conv>();
    if (conv == nullptr || conv->groups != 1) continue;
    const ir::Constant* weight = graph.constant(node.input(1));
    if (weight == nullptr || weight->dtype != ir::DType::f32 || weight->shape.size() != 4 ||
        graph.value(node.input(1)).sparsity)
      continue;
    ConvolutionPlace place{node.name, ""};
    const auto out = static_cast<std::size_t>(node.output());
    if (uses.uses[out] == 1 && uses.readers[out].size() == 1) {
      const Node& reader = graph.nodes()[static_cast<std::size_t>(uses.readers[out][0])];
      if (reader.as<ir::BatchNorm>()) place.batch_norm = reader.name;
    }
    places.push_back(std::move(place));
  }
  return places;
}

std::optional<std::array<std::int64_t, 4>> pads_for(const ir::Graph& graph, const Node& conv,
                                                    std::int64_t kernel) {
  const auto& op = std::get<ir::Conv>(conv.op);
  const ir::Extents& weight = graph.constant(conv.input(1))->shape;
  std::array<std::int64_t, 4> pads = op.pads;
  for (std::size_t axis = 0; axis < 2; ++axis) {
    const std::int64_t span = op.dilations[axis] * (weight[2 + axis] - 1) + 1;
    const std::int64_t less = span - kernel, before = less >> 1;
    pads[axis] -= before;
    pads[axis + 2] -= less - before;
  }
  if (*std::min_element(pads.begin(), pads.end()) < 0) return std::nullopt;
  return pads;
}

bool fits(const ir::Graph& graph, const ConvolutionPlace& place, const std::string& name) {
  const Node& conv = *graph.find_node(place.convolution);
  const Node& last = place.batch_norm.empty() ? conv : *graph.find_node(place.batch_norm);
  const std::vector<OperatorLayer> layers = operator_layers(name).value();
  const ir::Extents& weight = graph.constant(conv.input(1))->shape;
  const auto& op = std::get<ir::Conv>(conv.op);
  // A stride also keeps an extent of 1, but not that of larger images.
  if (layers.empty())
    return op.strides == std::array<std::int64_t, 2>{1, 1} &&
           same_shape(graph, conv.inputs[0], last.output()) && !is_output(graph, last.output());
  const bool dense = std::any_of(layers.begin(), layers.end(),
                                 [](const OperatorLayer& layer) { return !layer.depthwise; });
  if (!dense && weight[0] != weight[1]) return false;
  if (layers.size() == 1 && dense && op.dilations == std::array<std::int64_t, 2>{1, 1} &&
      weight[2] == layers[0].kernel && weight[3] == layers[0].kernel)
    return false;
  return std::all_of(layers.begin(), layers.end(), [&](const OperatorLayer& layer) {
    return pads_for(graph, conv, layer.kernel).has_value();
  });
}

std::vector<BranchPlace> branch_places(const ir::Graph& graph) {
  const ir::UseMap uses(graph);
  std::vector<BranchPlace> places;
  for (const Node& node : graph.nodes()) {
    const auto* op = node.as<ir::Binary>();
    if (op == nullptr || op->kind != ir::Binary::Kind::add) continue;
    if (graph.is_constant(node.inputs[0]) || graph.is_constant(node.inputs[1]) ||
        is_output(graph, node.output()))
      continue;
    for (std::size_t shortcut = 0; shortcut < 2; ++shortcut) {
      if (!same_shape(graph, node.inputs[shortcut], node.output())) continue;
      const auto nodes =
          branch_between(graph, uses, node, node.inputs[1 - shortcut], node.inputs[shortcut]);
      if (!nodes) continue;
      places.push_back({node.name, shortcut, *nodes});
      break;
    }
  }
  return places;
}

}  // namespace xgen::search
