#include "core/ir/verify.h"

#include <limits>
#include <set>

namespace xgen::ir {

namespace {

struct Arity {
  std::size_t least;
  std::size_t most;
};
constexpr std::size_t kAny = std::numeric_limits<std::size_t>::max();

Arity arity_of(const Node& node) {
  struct Visitor {
    Arity operator()(const Conv& op) const {
      return op.epilogue.residual ? Arity{4, 4} : Arity{2, 3};
    }
    Arity operator()(const BatchNorm&) const { return {5, 5}; }
    Arity operator()(const Gemm&) const { return {2, 3}; }
    Arity operator()(const MatMul&) const { return {2, 2}; }
    Arity operator()(const MaxPool&) const { return {1, 1}; }
    Arity operator()(const AveragePool&) const { return {1, 1}; }
    Arity operator()(const GlobalAveragePool&) const { return {1, 1}; }
    Arity operator()(const Unary&) const { return {1, 1}; }
    Arity operator()(const Binary&) const { return {2, 2}; }
    Arity operator()(const Concat&) const { return {1, kAny}; }
    Arity operator()(const Slice&) const { return {3, 5}; }
    Arity operator()(const Pad&) const { return {2, 3}; }
    Arity operator()(const Reshape&) const { return {2, 2}; }
    Arity operator()(const Flatten&) const { return {1, 1}; }
    Arity operator()(const Transpose&) const { return {1, 1}; }
    Arity operator()(const Unsqueeze&) const { return {2, 2}; }
    Arity operator()(const Squeeze&) const { return {1, 2}; }
    Arity operator()(const Gather&) const { return {2, 2}; }
    Arity operator()(const ShapeOf&) const { return {1, 1}; }
    Arity operator()(const Cast&) const { return {1, 1}; }
    Arity operator()(const Softmax&) const { return {1, 1}; }
    Arity operator()(const Resize&) const { return {3, 4}; }
    Arity operator()(const Reduce&) const { return {1, 2}; }
    Arity operator()(const Dropout&) const { return {1, 1}; }
    Arity operator()(const QuantizeLinear&) const { return {2, 3}; }
    Arity operator()(const DequantizeLinear&) const { return {2, 3}; }
  };
  return std::visit(Visitor{}, node.op);
}

}  // namespace

void verify(const Graph& graph, const std::string& pass) {
  const auto value_count = static_cast<ValueId>(graph.values().size());
  const auto check_id = [&](ValueId id, const std::string& where) {
    XGEN_CHECK(id >= 0 && id < value_count, "after ", pass, ": ", where, " refers to value ", id,
               " of ", value_count);
  };

  std::set<std::string> names;
  for (const Value& v : graph.values()) {
    XGEN_CHECK(!v.name.empty(), "after ", pass, ": a value without a name");
    XGEN_CHECK(names.insert(v.name).second, "after ", pass, ": two values are called \"", v.name,
               "\"");
  }

  std::vector<bool> defined(graph.values().size(), false);
  for (std::size_t i = 0; i < graph.values().size(); ++i)
    defined[i] = graph.values()[i].constant != nullptr;
  for (const ValueId id : graph.inputs()) {
    check_id(id, "the list of inputs");
    XGEN_CHECK(!graph.is_constant(id), "after ", pass, ": input \"", graph.value(id).name,
               "\" is a constant");
    defined[static_cast<std::size_t>(id)] = true;
  }

  std::set<std::string> node_names;
  for (const Node& node : graph.nodes()) {
    const std::string where = str("node \"", node.name, "\" (", op_name(node.op), ")");
    XGEN_CHECK(!node.name.empty(), "after ", pass, ": a node without a name");
    XGEN_CHECK(node_names.insert(node.name).second, "after ", pass, ": two nodes are called \"",
               node.name, "\"");
    const Arity arity = arity_of(node);
    XGEN_CHECK(node.inputs.size() >= arity.least && node.inputs.size() <= arity.most, "after ",
               pass, ": ", where, " has ", node.inputs.size(), " inputs");
    XGEN_CHECK(node.outputs.size() == 1, "after ", pass, ": ", where, " has ", node.outputs.size(),
               " outputs");
    for (const ValueId id : node.inputs) {
      if (id == kNoValue) continue;
      check_id(id, where);
      XGEN_CHECK(defined[static_cast<std::size_t>(id)], "after ", pass, ": ", where, " reads \"",
                 graph.value(id).name, "\" before it is computed");
      XGEN_CHECK(graph.value(id).type.shape.has_value(), "after ", pass, ": value \"",
                 graph.value(id).name, "\" has no shape");
    }
    check_id(node.output(), where);
    XGEN_CHECK(!defined[static_cast<std::size_t>(node.output())], "after ", pass, ": ", where,
               " computes \"", graph.value(node.output()).name, "\" a second time");
    defined[static_cast<std::size_t>(node.output())] = true;
  }
  for (const ValueId id : graph.outputs()) {
    check_id(id, "the list of outputs");
    XGEN_CHECK(defined[static_cast<std::size_t>(id)], "after ", pass, ": output \"",
               graph.value(id).name, "\" is not computed");
    XGEN_CHECK(graph.value(id).type.shape.has_value(), "after ", pass, ": output \"",
               graph.value(id).name, "\" has no shape");
  }
}

}  // namespace xgen::ir
