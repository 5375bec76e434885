#include <limits>

#include "core/onnx/node_importer.h"
#include "core/onnx/tensor_proto.h"

/// Element by element, reductions, quantization, and nodes that are no computation.
namespace xgen::onnx_io {

namespace {

using UnaryKind = ir::Unary::Kind;
using BinaryKind = ir::Binary::Kind;

void unary(NodeImporter& node, UnaryKind kind) {
  ir::Unary op;
  op.kind = kind;
  node.emit(op, {node.required(0)});
}

void binary(NodeImporter& node, BinaryKind kind) {
  node.emit(ir::Binary{kind}, {node.required(0), node.required(1)});
}

/// Max, Min and Sum take any number of operands.
void variadic(NodeImporter& node, BinaryKind kind) {
  const auto inputs = node.all_inputs();
  if (inputs.size() == 1) {
    node.alias(inputs[0]);
    return;
  }
  ir::ValueId left = inputs[0];
  for (std::size_t i = 1; i + 1 < inputs.size(); ++i)
    left = node.emit_helper(str("part", i), ir::Binary{kind}, {left, inputs[i]});
  node.emit(ir::Binary{kind}, {left, inputs.back()});
}

void reduce(NodeImporter& node, ir::Reduce::Kind kind, int axes_are_input_since) {
  ir::Reduce op;
  op.kind = kind;
  op.keep_dims = node.integer("keepdims", 1) != 0;
  ir::ValueId axes = ir::kNoValue;
  if (node.opset() < axes_are_input_since) {
    if (node.has_attribute("axes"))
      axes = node.integers_constant("axes", node.integers("axes", {}));
  } else {
    axes = node.input(1);
    const bool none =
        axes == ir::kNoValue || *node.known(axes).type.shape == ir::Shape{std::int64_t{0}};
    if (none && node.integer("noop_with_empty_axes", 0) != 0) {
      node.alias(node.required(0));
      return;
    }
    if (none) axes = ir::kNoValue;
  }
  node.emit(op, {node.required(0), axes});
}

}  // namespace

void import_abs(NodeImporter& node) { unary(node, UnaryKind::abs); }
void import_erf(NodeImporter& node) { unary(node, UnaryKind::erf); }
void import_exp(NodeImporter& node) { unary(node, UnaryKind::exp); }
void import_hard_swish(NodeImporter& node) { unary(node, UnaryKind::hard_swish); }
void import_log(NodeImporter& node) { unary(node, UnaryKind::log); }
void import_neg(NodeImporter& node) { unary(node, UnaryKind::neg); }
void import_reciprocal(NodeImporter& node) { unary(node, UnaryKind::reciprocal); }
void import_relu(NodeImporter& node) { unary(node, UnaryKind::relu); }
void import_sigmoid(NodeImporter& node) { unary(node, UnaryKind::sigmoid); }
void import_sqrt(NodeImporter& node) { unary(node, UnaryKind::sqrt); }
void import_tanh(NodeImporter& node) { unary(node, UnaryKind::tanh); }

void import_leaky_relu(NodeImporter& node) {
  ir::Unary op;
  op.kind = UnaryKind::leaky_relu;
  op.alpha = node.real("alpha", 0.01F);
  node.emit(op, {node.required(0)});
}

void import_hard_sigmoid(NodeImporter& node) {
  ir::Unary op;
  op.kind = UnaryKind::hard_sigmoid;
  op.alpha = node.real("alpha", 0.2F);
  op.beta = node.real("beta", 0.5F);
  node.emit(op, {node.required(0)});
}

void import_clip(NodeImporter& node) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  ir::Unary op;
  op.kind = UnaryKind::clip;
  const bool attributes = node.opset() < 11;
  op.low = attributes ? node.real("min", -kInfinity) : node.constant_real(1, -kInfinity, "min");
  op.high = attributes ? node.real("max", kInfinity) : node.constant_real(2, kInfinity, "max");
  node.emit(op, {node.required(0)});
}

void import_add(NodeImporter& node) { binary(node, BinaryKind::add); }
void import_sub(NodeImporter& node) { binary(node, BinaryKind::sub); }
void import_mul(NodeImporter& node) { binary(node, BinaryKind::mul); }
void import_div(NodeImporter& node) { binary(node, BinaryKind::div); }
void import_max(NodeImporter& node) { variadic(node, BinaryKind::max); }
void import_min(NodeImporter& node) { variadic(node, BinaryKind::min); }
void import_sum(NodeImporter& node) { variadic(node, BinaryKind::add); }

void import_pow(NodeImporter& node) {
  ir::ValueId exponent = node.required(1);
  if (node.dtype(1) != node.dtype(0))
    exponent = node.emit_helper("exponent", ir::Cast{node.dtype(0)}, {exponent});
  node.emit(ir::Binary{BinaryKind::pow}, {node.required(0), exponent});
}

void import_cast(NodeImporter& node) {
  const auto type = static_cast<int>(node.required_integer("to"));
  node.emit(ir::Cast{to_dtype(type, str("node \"", node.name(), "\" (Cast)"))}, {node.required(0)});
}

void import_softmax(NodeImporter& node) {
  const auto rank = static_cast<std::int64_t>(node.shape(0).size());
  const std::int64_t axis = node.integer("axis", node.opset() < 13 ? 1 : -1);
  const ir::ValueId x = node.required(0);
  if (axis < -rank || axis >= rank) node.fail("axis ", axis, " of ", to_string(node.shape(0)));
  const bool last = axis == -1 || axis == rank - 1;
  if (node.opset() >= 13 || last) {
    node.emit(ir::Softmax{axis}, {x});
    return;
  }
  // Before opset 13 everything from `axis` on was one long row.
  const ir::ValueId rows =
      node.emit_helper("rows", ir::Flatten{axis < 0 ? axis + rank : axis}, {x});
  const ir::ValueId softmax = node.emit_helper("softmax", ir::Softmax{1}, {rows});
  const ir::ValueId shape = is_static(node.shape(0))
                                ? node.integers_constant("shape", ir::extents(node.shape(0)))
                                : node.emit_helper("shape", ir::ShapeOf{}, {x});
  node.emit(ir::Reshape{}, {softmax, shape});
}

void import_reduce_mean(NodeImporter& node) { reduce(node, ir::Reduce::Kind::mean, 18); }
void import_reduce_max(NodeImporter& node) { reduce(node, ir::Reduce::Kind::max, 18); }
void import_reduce_sum(NodeImporter& node) { reduce(node, ir::Reduce::Kind::sum, 13); }

void import_dropout(NodeImporter& node) {
  if (node.has_input(2) && node.constant_real(2, 0, "training_mode") != 0)
    node.fail("training_mode is not supported; export the model for inference");
  ir::Dropout op;
  op.ratio = node.opset() < 12 ? node.real("ratio", 0.5F) : node.constant_real(1, 0.5F, "ratio");
  node.emit(op, {node.required(0)});
}

void import_quantize_linear(NodeImporter& node) {
  if (node.integer("block_size", 0) != 0) node.fail("block_size is not supported");
  ir::QuantizeLinear op;
  op.axis = node.integer("axis", 1);
  ir::ValueId zero_point = node.input(2);
  const auto wanted = static_cast<int>(node.integer("output_dtype", 0));
  if (zero_point == ir::kNoValue && wanted != 0 && wanted != onnx::TensorProto::UINT8) {
    ir::Constant zero;
    zero.dtype = to_dtype(wanted, str("node \"", node.name(), "\" (QuantizeLinear)"));
    zero.shape = ir::extents(node.shape(1));
    zero.bytes.resize(static_cast<std::size_t>(zero.size()) * ir::size_of(zero.dtype));
    zero_point = node.constant("zero_point", std::move(zero));
  }
  if (zero_point != ir::kNoValue) {
    const ir::DType type = node.known(zero_point).type.dtype;
    if (type != ir::DType::u8 && type != ir::DType::i8)
      node.fail("quantization to ", name_of(type), " is not supported");
  }
  node.emit(op, {node.required(0), node.required(1), zero_point});
}

void import_dequantize_linear(NodeImporter& node) {
  if (node.integer("block_size", 0) != 0) node.fail("block_size is not supported");
  node.emit(ir::DequantizeLinear{node.integer("axis", 1)},
            {node.required(0), node.required(1), node.input(2)});
}

void import_identity(NodeImporter& node) { node.alias(node.required(0)); }

void import_constant(NodeImporter& node) {
  const auto add = [&](ir::Constant c) { node.alias(node.constant("value", std::move(c))); };
  const auto count = [](const auto& v) { return static_cast<std::int64_t>(v.size()); };
  if (const auto* value = node.find("value")) {
    add(to_constant(value->t(), node.folder(), str("node \"", node.name(), "\" (Constant)")));
  } else if (node.has_attribute("value_float")) {
    add(ir::Constant::scalar(node.real("value_float", 0)));
  } else if (node.has_attribute("value_int")) {
    add(ir::Constant::scalar(node.integer("value_int", 0)));
  } else if (node.has_attribute("value_floats")) {
    const auto values = node.reals("value_floats");
    add(ir::Constant::of({count(values)}, values));
  } else if (node.has_attribute("value_ints")) {
    const auto values = node.integers("value_ints", {});
    add(ir::Constant::of({count(values)}, values));
  } else {
    node.fail("only a tensor, numbers and lists of numbers are supported");
  }
}

}  // namespace xgen::onnx_io
