#include "core/ir/rewrite/fold_constants.h"

#include <algorithm>

#include "core/ir/infer_shapes.h"
#include "core/reference/evaluate.h"

namespace xgen::ir {

namespace {

bool is_output(const Graph& graph, ValueId id) {
  return std::find(graph.outputs().begin(), graph.outputs().end(), id) != graph.outputs().end();
}

Constant integers(DType dtype, const Shape& shape, const std::vector<std::int64_t>& values) {
  const Extents extents_of_result = extents(shape);
  if (dtype == DType::i64) return Constant::of<std::int64_t>(extents_of_result, values);
  return Constant::of<std::int32_t>(extents_of_result, {values.begin(), values.end()});
}

std::optional<Constant> fold_shape_arithmetic(const InferredValue& known) {
  if (!known.elements || (known.type.dtype != DType::i64 && known.type.dtype != DType::i32))
    return std::nullopt;
  std::vector<std::int64_t> values;
  for (const Dim& dim : *known.elements) {
    if (!dim.is_static()) return std::nullopt;
    values.push_back(dim.size);
  }
  return integers(known.type.dtype, *known.type.shape, values);
}

std::optional<Constant> fold_node(const Graph& graph, const Node& node) {
  if (node.as<DequantizeLinear>()) return std::nullopt;
  std::vector<ConstantPtr> operands;
  Role role = Role::fixed;
  for (const ValueId id : node.inputs) {
    if (id != kNoValue && !graph.is_constant(id)) return std::nullopt;
    operands.push_back(id == kNoValue ? nullptr : graph.value(id).constant);
    if (id != kNoValue && role == Role::fixed) role = graph.constant(id)->role;
  }
  Constant result = reference::evaluate_node(graph, node, operands);
  result.role = result.dtype == DType::f32 ? role : Role::fixed;
  return result;
}

/// The shape of a Reshape as a constant with at most one -1.
std::optional<Constant> fold_target(const Graph& graph, const Node& node,
                                    const std::vector<InferredValue>& values) {
  if (!node.as<Reshape>() || graph.is_constant(node.inputs[1])) return std::nullopt;
  const Shape& in = *values[static_cast<std::size_t>(node.inputs[0])].type.shape;
  const Shape& out = *values[static_cast<std::size_t>(node.output())].type.shape;
  std::vector<std::int64_t> target;
  int open = 0;
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (out[i].is_static()) {
      if (out[i].size == 0) return std::nullopt;  // would mean "copy"
      target.push_back(out[i].size);
    } else if (i < in.size() && in[i] == out[i]) {
      target.push_back(0);
    } else {
      target.push_back(-1);
      ++open;
    }
  }
  if (open > 1) return std::nullopt;
  return Constant::of<std::int64_t>({static_cast<std::int64_t>(target.size())}, target);
}

}  // namespace

Graph fold_constants(Graph graph, int max_patches) {
  const std::vector<InferredValue> values = infer_values(graph);
  int patches = 0;
  for (std::size_t i = 0; i < graph.nodes().size() && patches != max_patches;) {
    const Node node = graph.nodes()[i];
    const ValueId out = node.output();
    if (!is_output(graph, out)) {
      std::optional<Constant> folded = fold_shape_arithmetic(values[static_cast<std::size_t>(out)]);
      if (!folded) folded = fold_node(graph, node);
      if (folded) {
        const ValueId id = graph.add_constant(graph.value(out).name + ".folded", *folded);
        graph.replace_uses(out, id);
        graph.mutable_nodes().erase(graph.mutable_nodes().begin() + static_cast<std::ptrdiff_t>(i));
        ++patches;
        continue;
      }
    }
    // Constants made above have no entry in `values`, but then the target is constant already.
    if (node.as<Reshape>() && static_cast<std::size_t>(node.inputs[0]) < values.size()) {
      if (auto target = fold_target(graph, node, values)) {
        const ValueId id = graph.add_constant(node.name + ".shape", *std::move(target));
        graph.mutable_nodes()[i].inputs[1] = id;
        graph.mutable_nodes()[i].op = Reshape{};
        ++patches;
      }
    }
    ++i;
  }
  return infer_shapes(std::move(graph).pruned());
}

}  // namespace xgen::ir
