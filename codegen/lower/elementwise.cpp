#include <limits>

#include "codegen/lower/context.h"
#include "core/reference/integer.h"

namespace xgen::lower {

namespace {

using ir::Node;
using ir::ValueId;

constexpr float kInfinity = std::numeric_limits<float>::infinity();

// A table as kernels index it: by the stored byte.
std::size_t store_table(Context& context, const ir::Unary& unary, const ir::Value& x,
                        const ir::Value& y) {
  const auto table = reference::unary_table(unary, *x.type.quant, *y.type.quant);
  const unsigned flip = context.options().signed_activations ? 0x80U : 0U;
  std::vector<std::uint8_t> stored(256);
  for (unsigned i = 0; i < 256; ++i) stored[i ^ flip] = static_cast<std::uint8_t>(table[i] ^ flip);
  return context.store(stored);
}

bool lower_unary(Context& context, const Node& node, const ir::Unary& unary) {
  const ValueId in = node.inputs[0], out = node.output();
  if (!context.layout(in).spatial || context.value(in).type.dtype != context.value(out).type.dtype)
    return false;
  xgen_unary args{};
  args.x = context.planes(in);
  args.y = context.define_planes_like(out, in);
  if (args.x.pitch != args.y.pitch) return false;
  args.table = XGEN_NONE;
  args.low = -kInfinity;
  args.high = kInfinity;
  const bool integer = context.value(in).type.dtype == ir::DType::u8;
  if (integer) {
    args.table = store_table(context, unary, context.value(in), context.value(out));
  } else {
    args.kind = unary_code(unary.kind);
    args.alpha = unary.alpha;
    args.beta = unary.beta;
    if (unary.kind == ir::Unary::Kind::relu) args.low = 0;
    if (unary.kind == ir::Unary::Kind::clip) args.low = unary.low, args.high = unary.high;
  }
  context.add({node.name, ir::op_name(node.op), integer ? "table_i8" : "unary_f32",
               str(args.y.planes, " planes of ", args.y.height, "x", args.y.width), args});
  return true;
}

bool per_channel(const ir::Value& b, const ir::Value& y) {
  if (!b.type.shape || b.type.dtype != ir::DType::f32) return false;
  const ir::Extents e = ir::extents(*b.type.shape), full = ir::extents(*y.type.shape);
  const std::size_t n = e.size();
  return n >= 3 && n <= 4 && e[n - 1] == 1 && e[n - 2] == 1 && e[n - 3] == full[1] &&
         (n == 3 || e[0] == 1);
}

bool lower_binary(Context& context, const Node& node, const ir::Binary& binary) {
  ValueId a = node.inputs[0], b = node.inputs[1];
  const ValueId out = node.output();
  if (!context.layout(out).spatial || binary.kind == ir::Binary::Kind::pow) return false;
  const bool commutes =
      binary.kind != ir::Binary::Kind::sub && binary.kind != ir::Binary::Kind::div;
  if (!context.layout(a).spatial && commutes) std::swap(a, b);
  if (!context.layout(a).spatial || context.value(a).type.shape != context.value(out).type.shape)
    return false;
  const bool integer = context.value(out).type.dtype == ir::DType::u8;
  xgen_binary args{};
  args.kind = binary_code(binary.kind);
  args.activation = XGEN_LINEAR;
  args.low = -kInfinity;
  args.high = kInfinity;
  if (context.layout(b).spatial) {
    if (context.value(b).type.shape != context.value(out).type.shape) return false;
    if (context.value(a).type.dtype != context.value(out).type.dtype ||
        context.value(b).type.dtype != context.value(out).type.dtype)
      return false;
    if (integer && binary.kind != ir::Binary::Kind::add) return false;
    const bool alike = context.channels(a) == context.channels(b);
    args.a = alike ? context.planes(a) : context.natural_planes(a);
    args.b = alike ? context.planes(b) : context.natural_planes(b);
    args.y = context.define_planes_like(out, a);
    if (args.a.pitch != args.y.pitch || args.b.pitch != args.y.pitch) return false;
  } else {
    if (integer || context.value(a).type.dtype != ir::DType::f32 ||
        !per_channel(context.value(b), context.value(out)))
      return false;
    args.a = context.planes(a);
    args.b_per_channel = 1;
    args.b.data = context.flat(b);
    args.y = context.define_planes(out);
    if (args.a.pitch != args.y.pitch || context.channels(a) != context.channels(out)) return false;
  }
  if (integer) {
    const ScaleZero qa = quant_of(context.value(a)), qb = quant_of(context.value(b)),
                    qy = quant_of(context.value(out));
    args.add0 = reference::fixed_point_scale(qa.scale, qy.scale);
    args.add1 = reference::fixed_point_scale(qb.scale, qy.scale);
    args.a_zero = qa.zero;
    args.b_zero = qb.zero;
    args.zero = qy.zero;
    args.low = static_cast<float>(-qy.zero);
    args.high = static_cast<float>(255 - qy.zero);
  }
  context.add({node.name, ir::op_name(node.op), integer ? "add_i8" : "binary_f32",
               str(args.y.planes, " planes of ", args.y.height, "x", args.y.width), args});
  return true;
}

}  // namespace

bool lower_elementwise(Context& context, const Node& node) {
  if (!context.layout(node.output()).spatial) return false;
  if (const auto* unary = node.as<ir::Unary>()) return lower_unary(context, node, *unary);
  if (const auto* binary = node.as<ir::Binary>()) return lower_binary(context, node, *binary);
  return false;
}

int activation_code(ir::Activation::Kind kind) {
  switch (kind) {
    case ir::Activation::Kind::leaky_relu:
      return XGEN_LEAKY_RELU;
    case ir::Activation::Kind::sigmoid:
      return XGEN_SIGMOID;
    case ir::Activation::Kind::tanh:
      return XGEN_TANH;
    case ir::Activation::Kind::silu:
      return XGEN_SILU;
    case ir::Activation::Kind::hard_sigmoid:
      return XGEN_HARD_SIGMOID;
    case ir::Activation::Kind::hard_swish:
      return XGEN_HARD_SWISH;
    default:
      return XGEN_LINEAR;
  }
}

int unary_code(ir::Unary::Kind kind) {
  switch (kind) {
    case ir::Unary::Kind::relu:
    case ir::Unary::Kind::clip:
      return XGEN_LINEAR;
    case ir::Unary::Kind::leaky_relu:
      return XGEN_LEAKY_RELU;
    case ir::Unary::Kind::sigmoid:
      return XGEN_SIGMOID;
    case ir::Unary::Kind::tanh:
      return XGEN_TANH;
    case ir::Unary::Kind::silu:
      return XGEN_SILU;
    case ir::Unary::Kind::hard_sigmoid:
      return XGEN_HARD_SIGMOID;
    case ir::Unary::Kind::hard_swish:
      return XGEN_HARD_SWISH;
    case ir::Unary::Kind::exp:
      return XGEN_EXP;
    case ir::Unary::Kind::log:
      return XGEN_LOG;
    case ir::Unary::Kind::neg:
      return XGEN_NEG;
    case ir::Unary::Kind::sqrt:
      return XGEN_SQRT;
    case ir::Unary::Kind::abs:
      return XGEN_ABS;
    case ir::Unary::Kind::erf:
      return XGEN_ERF;
    case ir::Unary::Kind::reciprocal:
      return XGEN_RECIPROCAL;
  }
  return XGEN_LINEAR;
}

int binary_code(ir::Binary::Kind kind) {
  switch (kind) {
    case ir::Binary::Kind::add:
      return XGEN_ADD;
    case ir::Binary::Kind::sub:
      return XGEN_SUB;
    case ir::Binary::Kind::mul:
      return XGEN_MUL;
    case ir::Binary::Kind::div:
      return XGEN_DIV;
    case ir::Binary::Kind::max:
      return XGEN_MAX;
    case ir::Binary::Kind::min:
      return XGEN_MIN;
    case ir::Binary::Kind::pow:
      return XGEN_POW;
  }
  return XGEN_ADD;
}

}  // namespace xgen::lower
