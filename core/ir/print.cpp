#include "core/ir/print.h"

#include <sstream>

namespace xgen::ir {

namespace {

template <class List>
std::string joined(const List& list) {
  std::string text;
  for (const auto& x : list) text += str(text.empty() ? "" : ",", x);
  return text;
}

/// Collects " key=value" for what differs from the default.
class Attributes {
 public:
  template <class T>
  Attributes& add(const char* key, const T& value, const T& fallback) {
    if (value == fallback) return *this;
    text_ += str(" ", key, "=");
    if constexpr (requires { value.begin(); })
      text_ += joined(value);
    else
      text_ += str(value);
    return *this;
  }
  Attributes& flag(const char* key, bool value) {
    if (value) text_ += str(" ", key);
    return *this;
  }
  std::string text() const { return text_; }

 private:
  std::string text_;
};

std::string print_activation(const Activation& a) {
  switch (a.kind) {
    case Activation::Kind::none:
      return "none";
    case Activation::Kind::clip:
      return str("clip(", a.low, ",", a.high, ")");
    case Activation::Kind::leaky_relu:
      return str("leaky_relu(", a.alpha, ")");
    case Activation::Kind::sigmoid:
      return "sigmoid";
    case Activation::Kind::tanh:
      return "tanh";
    case Activation::Kind::silu:
      return "silu";
    case Activation::Kind::hard_sigmoid:
      return str("hard_sigmoid(", a.alpha, ",", a.beta, ")");
    case Activation::Kind::hard_swish:
      return "hard_swish";
  }
  return "?";
}

std::string print_quant(const QuantParams& q) {
  if (q.scale.size() == 1 && q.zero_point.size() == 1)
    return str("q(", q.scale[0], ", ", q.zero_point[0], ")");
  return str("q(", q.scale.size(), " scales, axis ", q.axis, ")");
}

std::string attributes(const Conv& op) {
  Attributes a;
  const Conv plain;
  a.add("strides", op.strides, plain.strides).add("dilations", op.dilations, plain.dilations);
  a.add("pads", op.pads, plain.pads).add("groups", op.groups, plain.groups);
  std::string text = a.text();
  const Epilogue& e = op.epilogue;
  if (e.before_add != Activation{}) text += " before_add=" + print_activation(e.before_add);
  if (e.before_residual) text += " before_residual=" + print_quant(*e.before_residual);
  if (e.residual) text += " residual";
  if (e.activation != Activation{}) text += " activation=" + print_activation(e.activation);
  return text;
}

std::string pool_attributes(const Pool& op) {
  const Pool plain;
  return Attributes()
      .add("kernel", op.kernel, plain.kernel)
      .add("strides", op.strides, plain.strides)
      .add("dilations", op.dilations, plain.dilations)
      .add("pads", op.pads, plain.pads)
      .flag("ceil_mode", op.ceil_mode)
      .text();
}

std::string attributes(const MaxPool& op) { return pool_attributes(op); }
std::string attributes(const AveragePool& op) {
  return pool_attributes(op) + Attributes().flag("count_include_pad", op.count_include_pad).text();
}
std::string attributes(const BatchNorm& op) {
  return Attributes().add("epsilon", op.epsilon, BatchNorm().epsilon).text();
}
std::string attributes(const Gemm& op) {
  return Attributes()
      .add("alpha", op.alpha, 1.0F)
      .add("beta", op.beta, 1.0F)
      .flag("trans_a", op.trans_a)
      .flag("trans_b", op.trans_b)
      .text();
}
std::string attributes(const Unary& op) {
  const Unary plain;
  return Attributes()
      .add("low", op.low, plain.low)
      .add("high", op.high, plain.high)
      .add("alpha", op.alpha, plain.alpha)
      .add("beta", op.beta, plain.beta)
      .text();
}
std::string attributes(const Concat& op) { return str(" axis=", op.axis); }
std::string attributes(const Flatten& op) { return str(" axis=", op.axis); }
std::string attributes(const Gather& op) { return str(" axis=", op.axis); }
std::string attributes(const Softmax& op) { return str(" axis=", op.axis); }
std::string attributes(const Transpose& op) { return " perm=" + joined(op.perm); }
std::string attributes(const Cast& op) { return str(" to=", name_of(op.to)); }
std::string attributes(const Reshape& op) {
  return Attributes().flag("allow_zero", op.allow_zero).text();
}
std::string attributes(const ShapeOf& op) {
  const ShapeOf plain;
  return Attributes().add("start", op.start, plain.start).add("end", op.end, plain.end).text();
}
std::string attributes(const Resize& op) {
  constexpr std::array kCoordinates{"half_pixel", "pytorch_half_pixel", "align_corners",
                                    "asymmetric"};
  constexpr std::array kNearest{"round_prefer_floor", "round_prefer_ceil", "floor", "ceil"};
  const char* coordinates = kCoordinates.at(static_cast<std::size_t>(op.coordinates));
  if (op.mode == Resize::Mode::linear) return str(" linear ", coordinates);
  return str(" nearest ", coordinates, " ", kNearest.at(static_cast<std::size_t>(op.nearest)));
}
std::string attributes(const Reduce& op) {
  return op.keep_dims ? std::string() : std::string(" keep_dims=0");
}
std::string attributes(const QuantizeLinear& op) {
  return Attributes().add("axis", op.axis, std::int64_t{1}).text();
}
std::string attributes(const DequantizeLinear& op) {
  return Attributes().add("axis", op.axis, std::int64_t{1}).text();
}
// These have none, or only what training uses.
std::string attributes(const MatMul&) { return {}; }
std::string attributes(const GlobalAveragePool&) { return {}; }
std::string attributes(const Binary&) { return {}; }
std::string attributes(const Slice&) { return {}; }
std::string attributes(const Pad&) { return {}; }
std::string attributes(const Unsqueeze&) { return {}; }
std::string attributes(const Squeeze&) { return {}; }
std::string attributes(const Dropout&) { return {}; }

std::string print_elements(const Constant& c) {
  std::string text;
  const auto append = [&](const auto& values) {
    for (const auto v : values) text += str(text.empty() ? "" : ", ", +v);
  };
  switch (c.dtype) {
    case DType::f32:
      append(c.as<float>());
      break;
    case DType::f64:
      append(c.as<double>());
      break;
    case DType::i64:
      append(c.as<std::int64_t>());
      break;
    case DType::i32:
      append(c.as<std::int32_t>());
      break;
    case DType::i8:
      append(c.as<std::int8_t>());
      break;
    case DType::u8:
      append(c.as<std::uint8_t>());
      break;
    case DType::boolean:
      append(std::span<const bool>(c.as<bool>()));
      break;
  }
  return c.shape.empty() ? text : str("{", text, "}");
}

std::string print_operand(const Graph& graph, ValueId id) {
  if (id == kNoValue) return "_";
  const Value& v = graph.value(id);
  if (v.constant == nullptr) return v.name;
  constexpr std::int64_t kLongest = 8;
  if (v.constant->shape.size() <= 1 && v.constant->size() <= kLongest && !v.type.quant)
    return str(name_of(v.type.dtype), " ", print_elements(*v.constant));
  std::string text = str(v.name, ": ", print(v.type));
  if (v.sparsity) text += str(" ", name_of(v.sparsity->scheme));
  return text;
}

}  // namespace

std::string print(const TensorType& type) {
  std::string text = str(name_of(type.dtype), " ", type.shape ? to_string(*type.shape) : "?");
  if (type.quant) text += " " + print_quant(*type.quant);
  return text;
}

namespace {
std::string all_attributes(const Op& op) {
  return std::visit([](const auto& o) { return attributes(o); }, op);
}
}  // namespace

std::string print(const Op& op) { return op_name(op) + all_attributes(op); }

std::string print(const Graph& graph, const Node& node) {
  std::string inputs;
  for (const ValueId id : node.inputs)
    inputs += (inputs.empty() ? "" : ", ") + print_operand(graph, id);
  const Value& out = graph.value(node.output());
  const std::string label = out.name == node.name ? "" : str("  # ", node.name);
  return str(out.name, ": ", print(out.type), " = ", op_name(node.op), "(", inputs, ")",
             all_attributes(node.op), label);
}

std::string print(const Graph& graph) {
  std::ostringstream out;
  out << graph.name << "(";
  const char* separator = "";
  for (const ValueId id : graph.inputs()) {
    out << separator << graph.value(id).name << ": " << print(graph.value(id).type);
    separator = ", ";
  }
  out << ") -> ";
  separator = "";
  for (const ValueId id : graph.outputs()) {
    out << separator << graph.value(id).name;
    separator = ", ";
  }
  out << "\n";
  for (const Node& node : graph.nodes()) out << "  " << print(graph, node) << "\n";
  return out.str();
}

}  // namespace xgen::ir
