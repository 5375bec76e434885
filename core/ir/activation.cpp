#include "core/ir/activation.h"

#include "core/error.h"

namespace xgen::ir {

std::optional<Activation> to_activation(const Unary& op) {
  Activation a;
  a.alpha = op.alpha;
  a.beta = op.beta;
  switch (op.kind) {
    case Unary::Kind::relu:
      a = {};
      a.kind = Activation::Kind::clip;
      a.low = 0;
      return a;
    case Unary::Kind::clip:
      a = {};
      a.kind = Activation::Kind::clip;
      a.low = op.low;
      a.high = op.high;
      return a;
    case Unary::Kind::leaky_relu:
      a.kind = Activation::Kind::leaky_relu;
      return a;
    case Unary::Kind::sigmoid:
      a.kind = Activation::Kind::sigmoid;
      return a;
    case Unary::Kind::tanh:
      a.kind = Activation::Kind::tanh;
      return a;
    case Unary::Kind::silu:
      a.kind = Activation::Kind::silu;
      return a;
    case Unary::Kind::hard_sigmoid:
      a.kind = Activation::Kind::hard_sigmoid;
      return a;
    case Unary::Kind::hard_swish:
      a.kind = Activation::Kind::hard_swish;
      return a;
    default:
      return std::nullopt;
  }
}

Unary to_unary(const Activation& activation) {
  Unary op;
  op.alpha = activation.alpha;
  op.beta = activation.beta;
  switch (activation.kind) {
    case Activation::Kind::none:
      break;
    case Activation::Kind::clip:
      op.kind = Unary::Kind::clip;
      op.low = activation.low;
      op.high = activation.high;
      return op;
    case Activation::Kind::leaky_relu:
      op.kind = Unary::Kind::leaky_relu;
      return op;
    case Activation::Kind::sigmoid:
      op.kind = Unary::Kind::sigmoid;
      return op;
    case Activation::Kind::tanh:
      op.kind = Unary::Kind::tanh;
      return op;
    case Activation::Kind::silu:
      op.kind = Unary::Kind::silu;
      return op;
    case Activation::Kind::hard_sigmoid:
      op.kind = Unary::Kind::hard_sigmoid;
      return op;
    case Activation::Kind::hard_swish:
      op.kind = Unary::Kind::hard_swish;
      return op;
  }
  XGEN_CHECK(false, "no operator for no activation");
  return op;
}

}  // namespace xgen::ir
