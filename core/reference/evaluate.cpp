#include "core/reference/evaluate.h"

#include <cstring>

#include "core/ir/shapes/context.h"
#include "core/reference/operands.h"

namespace xgen::reference {

const ir::QuantParams& Operands::quant(std::size_t i) const {
  XGEN_CHECK(is_quantized(i), "node \"", node.name, "\": input ", i, " has no quantization");
  return *types[i].quant;
}

Tensor make_tensor(ir::DType dtype, ir::Extents shape) {
  Tensor tensor;
  tensor.dtype = dtype;
  tensor.shape = std::move(shape);
  tensor.bytes.resize(static_cast<std::size_t>(tensor.size()) * ir::size_of(dtype));
  return tensor;
}

std::vector<std::int64_t> strides_of(const ir::Extents& shape) {
  std::vector<std::int64_t> strides(shape.size(), 1);
  for (std::size_t i = shape.size(); i-- > 1;) strides[i - 1] = strides[i] * shape[i];
  return strides;
}

void copy_element(const Tensor& from, std::int64_t from_at, Tensor& to, std::int64_t to_at) {
  const std::size_t size = ir::size_of(from.dtype);
  std::memcpy(to.bytes.data() + static_cast<std::size_t>(to_at) * size,
              from.bytes.data() + static_cast<std::size_t>(from_at) * size, size);
}

namespace {

/// Whether a u8 operand is to be computed with its quantization; movements need none.
template <class Op>
constexpr bool has_integer_form = requires(const Op& op, const Operands& in, Tensor& out) {
  compute_integer(op, in, out);
};

}  // namespace

Tensor evaluate_node(const ir::Graph& graph, const ir::Node& node,
                     const std::vector<TensorPtr>& operands) {
  // A graph of this node alone, with constants for operands, so that every shape is known.
  ir::Graph alone;
  std::vector<ir::ValueId> ids;
  Operands in{node, operands, {}, {}};
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    if (operands.at(i) == nullptr) {
      ids.push_back(ir::kNoValue);
      in.types.emplace_back();
      continue;
    }
    ids.push_back(alone.add_constant(graph.value(node.inputs[i]).name, operands[i]));
    alone.value(ids.back()).type.quant = graph.value(node.inputs[i]).type.quant;
    in.types.push_back(alone.value(ids.back()).type);
  }
  const ir::ValueId result = alone.add_node(node.name, node.op, ids);
  alone.set_outputs({result});
  const ir::TensorType& declared = graph.value(node.output()).type;
  alone.value(result).type = {declared.dtype, {}, declared.quant};
  in.result = ir::infer_shapes(alone).value(result).type;

  Tensor out = make_tensor(in.result.dtype, ir::extents(*in.result.shape));
  std::visit(
      [&](const auto& op) {
        if constexpr (has_integer_form<std::decay_t<decltype(op)>>) {
          if (in.is_quantized(0) && in[0].dtype == ir::DType::u8) {
            compute_integer(op, in, out);
            return;
          }
        }
        compute(op, in, out);
      },
      node.op);
  return out;
}

namespace {

void check_input(const ir::Value& value, const Tensor& tensor,
                 std::map<std::string, std::int64_t>& symbols) {
  const ir::TensorType& type = value.type;
  bool fits = tensor.dtype == type.dtype && type.shape && type.shape->size() == tensor.shape.size();
  for (std::size_t i = 0; fits && i < tensor.shape.size(); ++i) {
    const ir::Dim& dim = (*type.shape)[i];
    const std::int64_t expected =
        dim.is_static() ? dim.size : symbols.emplace(dim.symbol, tensor.shape[i]).first->second;
    fits = expected == tensor.shape[i];
  }
  if (fits) return;
  throw UserError(str("input \"", value.name, "\": expected ", name_of(type.dtype), " ",
                      type.shape ? to_string(*type.shape) : "?", ", got ", name_of(tensor.dtype),
                      " ", to_string(ir::to_shape(tensor.shape))));
}

}  // namespace

std::vector<Tensor> evaluate_values(const ir::Graph& graph, std::vector<Tensor> inputs,
                                    const std::vector<ir::ValueId>& wanted) {
  if (inputs.size() != graph.inputs().size()) {
    throw UserError(str("the model has ", graph.inputs().size(), " inputs, got ", inputs.size()));
  }
  std::vector<TensorPtr> values(graph.values().size());
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = graph.values()[i].constant;
  std::map<std::string, std::int64_t> symbols;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    check_input(graph.value(graph.inputs()[i]), inputs[i], symbols);
    values[static_cast<std::size_t>(graph.inputs()[i])] =
        std::make_shared<const Tensor>(std::move(inputs[i]));
  }

  std::vector<int> reads(values.size(), 0);  // results are freed after the last
  for (const ir::Node& node : graph.nodes()) {
    for (const ir::ValueId id : node.inputs) {
      if (id != ir::kNoValue) ++reads[static_cast<std::size_t>(id)];
    }
  }
  for (const ir::ValueId id : wanted) ++reads[static_cast<std::size_t>(id)];

  for (const ir::Node& node : graph.nodes()) {
    std::vector<TensorPtr> operands;
    for (const ir::ValueId id : node.inputs)
      operands.push_back(id == ir::kNoValue ? nullptr : values[static_cast<std::size_t>(id)]);
    values[static_cast<std::size_t>(node.output())] =
        std::make_shared<const Tensor>(evaluate_node(graph, node, operands));
    for (const ir::ValueId id : node.inputs) {
      if (id != ir::kNoValue && --reads[static_cast<std::size_t>(id)] == 0)
        values[static_cast<std::size_t>(id)] = nullptr;
    }
  }
  std::vector<Tensor> results;
  for (const ir::ValueId id : wanted) {
    XGEN_CHECK(values[static_cast<std::size_t>(id)] != nullptr, "value \"", graph.value(id).name,
               "\" is not computed");
    results.push_back(*values[static_cast<std::size_t>(id)]);
  }
  return results;
}

std::vector<Tensor> evaluate(const ir::Graph& graph, std::vector<Tensor> inputs) {
  return evaluate_values(graph, std::move(inputs), graph.outputs());
}

}  // namespace xgen::reference
