#include "core/ir/node_size.h"

namespace xgen::ir {

namespace {

// The constant behind what only moves or rescales values, or kNoValue.
ValueId constant_behind(const Graph& graph, const UseMap& uses, ValueId id) {
  while (id != kNoValue && !graph.is_constant(id)) {
    const int at = uses.producer[static_cast<std::size_t>(id)];
    if (at < 0) return kNoValue;
    const Node& node = graph.nodes()[static_cast<std::size_t>(at)];
    const bool moves = node.as<Transpose>() || node.as<Reshape>() || node.as<Unsqueeze>() ||
                       node.as<Squeeze>() || node.as<QuantizeLinear>() ||
                       node.as<DequantizeLinear>();
    if (!moves) return kNoValue;
    id = node.inputs[0];
  }
  return id;
}

std::int64_t elements(const Value& value) {
  std::int64_t n = 1;
  if (value.type.shape) {
    for (const Dim& d : *value.type.shape) n *= d.is_static() ? d.size : 1;
  }
  return n;
}

// Extent `d` of a value, counted from the end where negative; 1 where it is not known.
std::int64_t extent(const Value& value, int d) {
  if (!value.type.shape) return 1;
  const auto rank = static_cast<int>(value.type.shape->size());
  const int at = d < 0 ? rank + d : d;
  if (at < 0 || at >= rank) return 1;
  const Dim& dim = (*value.type.shape)[static_cast<std::size_t>(at)];
  return dim.is_static() ? dim.size : 1;
}

std::int64_t macs_of(const Graph& graph, const Node& node) {
  const std::int64_t results = elements(graph.value(node.output()));
  if (node.as<Conv>() != nullptr) {
    const Value& weight = graph.value(node.inputs[1]);
    return results * extent(weight, 1) * extent(weight, 2) * extent(weight, 3);
  }
  if (const auto* gemm = node.as<Gemm>())
    return results * extent(graph.value(node.inputs[0]), gemm->trans_a ? 0 : 1);
  if (node.as<MatMul>() != nullptr) return results * extent(graph.value(node.inputs[0]), -1);
  return 0;
}

std::int64_t count_nonzero(const Constant& c) {
  const std::size_t size = size_of(c.dtype);
  std::int64_t n = 0;
  for (std::size_t at = 0; at + size <= c.bytes.size(); at += size) {
    // Minus zero is zero: the sign is the highest bit of the last byte.
    bool any = false;
    for (std::size_t b = 0; b < size; ++b) {
      std::byte value = c.bytes[at + b];
      if (b + 1 == size && c.dtype == DType::f32) value &= std::byte{0x7F};
      any = any || value != std::byte{0};
    }
    n += any;
  }
  return n;
}

// Integers behind a DequantizeLinear are no parameters by role, because only floats are trained.
bool is_parameter(const Graph& graph, const Node& reader, std::size_t input, ValueId constant) {
  const Constant& c = *graph.constant(constant);
  if (c.role == Role::parameter) return true;
  const bool multiplies = reader.as<Conv>() || reader.as<Gemm>() || reader.as<MatMul>();
  const bool integer = c.dtype == DType::i8 || c.dtype == DType::u8 || c.dtype == DType::i32;
  return multiplies && integer && (input == 1 || input == 2);
}

double kept_share(const Sparsity& sparsity, const Constant& weight) {
  if (sparsity.scheme == Sparsity::Scheme::unstructured || weight.shape.size() < 2) return 1;
  const auto at = [&](std::size_t d) {
    return d < weight.shape.size() ? static_cast<int>(weight.shape[d]) : 1;
  };
  return density(sparsity, {at(0), at(1), at(2), at(3)});
}

NodeSize measured(const Graph& graph, const UseMap& uses, const Node& node,
                  std::set<ValueId>& counted, bool read_values) {
  NodeSize size;
  size.dense_macs = macs_of(graph, node);
  size.macs = size.dense_macs;
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    // A QuantizeLinear or Transpose of a weight only passes it on to the node that learns it.
    if (node.as<QuantizeLinear>() || node.as<DequantizeLinear>() || node.as<Transpose>() ||
        node.as<Reshape>() || node.as<Unsqueeze>() || node.as<Squeeze>())
      break;
    const ValueId id = constant_behind(graph, uses, node.inputs[i]);
    if (id == kNoValue || !is_parameter(graph, node, i, id)) continue;
    const Constant& constant = *graph.constant(id);
    if (const auto& sparsity = graph.value(id).sparsity; sparsity && i == 1) {
      size.scheme = name_of(sparsity->scheme);
      size.macs = static_cast<std::int64_t>(static_cast<double>(size.dense_macs) *
                                            kept_share(*sparsity, constant));
    }
    if (!counted.insert(id).second) continue;
    size.parameters += constant.size();
    if (read_values) size.nonzero += count_nonzero(constant);
  }
  return size;
}

}  // namespace

NodeSize size_of_node(const Graph& graph, const UseMap& uses, const Node& node,
                      std::set<ValueId>& counted) {
  return measured(graph, uses, node, counted, true);
}

NodeSize size_of_graph(const Graph& graph, bool read_values) {
  const UseMap uses(graph);
  std::set<ValueId> counted;
  NodeSize sum;
  for (const Node& node : graph.nodes()) {
    const NodeSize size = measured(graph, uses, node, counted, read_values);
    sum.dense_macs += size.dense_macs;
    sum.macs += size.macs;
    sum.parameters += size.parameters;
    sum.nonzero += size.nonzero;
    if (size.scheme != "dense") sum.scheme = "sparse";
  }
  return sum;
}

}  // namespace xgen::ir
