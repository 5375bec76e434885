#include "core/ir/ops.h"

namespace xgen::ir {

namespace {

const char* unary_name(Unary::Kind kind) {
  switch (kind) {
    case Unary::Kind::relu:
      return "Relu";
    case Unary::Kind::leaky_relu:
      return "LeakyRelu";
    case Unary::Kind::clip:
      return "Clip";
    case Unary::Kind::sigmoid:
      return "Sigmoid";
    case Unary::Kind::tanh:
      return "Tanh";
    case Unary::Kind::silu:
      return "Silu";
    case Unary::Kind::hard_sigmoid:
      return "HardSigmoid";
    case Unary::Kind::hard_swish:
      return "HardSwish";
    case Unary::Kind::exp:
      return "Exp";
    case Unary::Kind::log:
      return "Log";
    case Unary::Kind::neg:
      return "Neg";
    case Unary::Kind::sqrt:
      return "Sqrt";
    case Unary::Kind::abs:
      return "Abs";
    case Unary::Kind::erf:
      return "Erf";
    case Unary::Kind::reciprocal:
      return "Reciprocal";
  }
  return "?";
}

const char* binary_name(Binary::Kind kind) {
  switch (kind) {
    case Binary::Kind::add:
      return "Add";
    case Binary::Kind::sub:
      return "Sub";
    case Binary::Kind::mul:
      return "Mul";
    case Binary::Kind::div:
      return "Div";
    case Binary::Kind::pow:
      return "Pow";
    case Binary::Kind::max:
      return "Max";
    case Binary::Kind::min:
      return "Min";
  }
  return "?";
}

const char* reduce_name(Reduce::Kind kind) {
  switch (kind) {
    case Reduce::Kind::mean:
      return "ReduceMean";
    case Reduce::Kind::sum:
      return "ReduceSum";
    case Reduce::Kind::max:
      return "ReduceMax";
  }
  return "?";
}

}  // namespace

std::string op_name(const Op& op) {
  return std::visit(
      [](const auto& o) -> std::string {
        using T = std::decay_t<decltype(o)>;
        if constexpr (std::is_same_v<T, Unary>)
          return unary_name(o.kind);
        else if constexpr (std::is_same_v<T, Binary>)
          return binary_name(o.kind);
        else if constexpr (std::is_same_v<T, Reduce>)
          return reduce_name(o.kind);
        else
          return T::kName;
      },
      op);
}

}  // namespace xgen::ir
