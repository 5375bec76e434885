#include "core/ir/infer_shapes.h"

#include <algorithm>

#include "core/ir/shapes/context.h"

namespace xgen::ir {

InferredValue infer_source(const Value& value) {
  InferredValue info{value.type, std::nullopt};
  if (value.constant == nullptr) return info;
  const Constant& c = *value.constant;
  info.type.dtype = c.dtype;
  info.type.shape = to_shape(c.shape);
  if ((c.dtype == DType::i64 || c.dtype == DType::i32) && c.shape.size() <= 1) {
    const auto numbers = c.as_integers();
    info.elements.emplace(numbers.begin(), numbers.end());
  }
  return info;
}

void infer_node(const Graph& graph, const Node& node, std::vector<InferredValue>& values) {
  for (const ValueId id : node.inputs) {
    XGEN_CHECK(id == kNoValue || values[static_cast<std::size_t>(id)].type.shape, "node \"",
               node.name, "\" reads \"", graph.value(id).name, "\" before it is computed");
  }
  const NodeContext context(graph, node, values);
  InferredValue info = std::visit([&](const auto& op) { return infer(op, context); }, node.op);
  info.elements = infer_elements(context, *info.type.shape);
  InferredValue& slot = values[static_cast<std::size_t>(node.output())];
  if (slot.type.quant) {
    // Quantization lowering decided on the type.
    info.type.quant = slot.type.quant;
    info.type.dtype = slot.type.dtype;
  }
  slot = std::move(info);
}

std::vector<InferredValue> infer_values(const Graph& graph) {
  std::vector<InferredValue> values;
  values.reserve(graph.values().size());
  for (const Value& v : graph.values()) values.push_back(infer_source(v));
  for (const ValueId id : graph.inputs()) {
    const auto& known = values[static_cast<std::size_t>(id)];
    if (!known.type.shape)
      throw UserError(str("input \"", graph.value(id).name, "\" has no shape"));
  }
  for (const Node& node : graph.nodes()) infer_node(graph, node, values);
  return values;
}

Graph infer_shapes(Graph graph) {
  std::vector<InferredValue> values = infer_values(graph);
  for (std::size_t i = 0; i < values.size(); ++i)
    graph.value(static_cast<ValueId>(i)).type = std::move(values[i].type);
  return graph;
}

std::vector<std::string> free_symbols(const Graph& graph) {
  std::vector<std::string> symbols;
  for (const ValueId id : graph.inputs()) {
    const auto& shape = graph.value(id).type.shape;
    if (!shape) continue;
    for (const Dim& dim : *shape) {
      if (!dim.is_static() &&
          std::find(symbols.begin(), symbols.end(), dim.symbol) == symbols.end())
        symbols.push_back(dim.symbol);
    }
  }
  return symbols;
}

Graph bind_dims(Graph graph, const std::map<std::string, std::int64_t>& sizes) {
  const std::vector<std::string> symbols = free_symbols(graph);
  for (const auto& [symbol, size] : sizes) {
    if (std::find(symbols.begin(), symbols.end(), symbol) == symbols.end()) {
      std::string known;
      for (const std::string& s : symbols) known += str(known.empty() ? "\"" : ", \"", s, "\"");
      throw UserError(str("the model has no dimension \"", symbol, "\"; ",
                          known.empty() ? "all of its dimensions are fixed" : "it has " + known));
    }
    if (size < 1)
      throw UserError(str("dimension \"", symbol, "\": expected at least 1, got ", size));
  }
  for (const ValueId id : graph.inputs()) {
    if (!graph.value(id).type.shape) continue;
    for (Dim& dim : *graph.value(id).type.shape) {
      const auto bound = dim.is_static() ? sizes.end() : sizes.find(dim.symbol);
      if (bound != sizes.end()) dim = bound->second;
    }
  }
  return infer_shapes(std::move(graph));
}

}  // namespace xgen::ir
