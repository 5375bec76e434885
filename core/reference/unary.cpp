#include "core/reference/unary.h"

#include <algorithm>
#include <cmath>

#include "core/ir/activation.h"

namespace xgen::reference {

namespace {

float sigmoid(float x) { return 1.0F / (1.0F + std::exp(-x)); }
float hard_sigmoid(float x, float alpha, float beta) {
  return std::max(0.0F, std::min(1.0F, alpha * x + beta));
}

}  // namespace

float apply(const ir::Unary& op, float x) {
  switch (op.kind) {
    case ir::Unary::Kind::relu:
      return std::max(x, 0.0F);
    case ir::Unary::Kind::leaky_relu:
      return x < 0 ? op.alpha * x : x;
    case ir::Unary::Kind::clip:
      // The upper bound wins when they cross, as in ONNX.
      return std::min(std::max(x, op.low), op.high);
    case ir::Unary::Kind::sigmoid:
      return sigmoid(x);
    case ir::Unary::Kind::tanh:
      return std::tanh(x);
    case ir::Unary::Kind::silu:
      return x * sigmoid(x);
    case ir::Unary::Kind::hard_sigmoid:
      return hard_sigmoid(x, op.alpha, op.beta);
    case ir::Unary::Kind::hard_swish:
      return x * hard_sigmoid(x, 1.0F / 6.0F, 0.5F);
    case ir::Unary::Kind::exp:
      return std::exp(x);
    case ir::Unary::Kind::log:
      return std::log(x);
    case ir::Unary::Kind::neg:
      return -x;
    case ir::Unary::Kind::sqrt:
      return std::sqrt(x);
    case ir::Unary::Kind::abs:
      return std::abs(x);
    case ir::Unary::Kind::erf:
      return std::erf(x);
    case ir::Unary::Kind::reciprocal:
      return 1.0F / x;
  }
  return x;
}

float apply(const ir::Activation& activation, float x) {
  if (activation.kind == ir::Activation::Kind::none) return x;
  return apply(ir::to_unary(activation), x);
}

}  // namespace xgen::reference
