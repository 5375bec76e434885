#include <cmath>
#include <type_traits>

#include "train/ops/node_call.h"
#include "train/tensors.h"

namespace xgen::train {
namespace {

Tensor clip(const Tensor& x, float low, float high) {
  if (low == 0 && std::isinf(high)) return at::relu(x);
  return at::clamp(x, static_cast<double>(low), static_cast<double>(high));
}

Tensor hard_sigmoid(const Tensor& x, double alpha, double beta) {
  return at::clamp(x * alpha + beta, 0.0, 1.0);
}

/// Shapes are computed on the CPU; where one meets the image, it follows it.
std::pair<Tensor, Tensor> on_one_device(const Tensor& a, const Tensor& b) {
  if (a.device() == b.device()) return {a, b};
  return a.is_cpu() ? std::pair(a.to(b.device()), b) : std::pair(a, b.to(a.device()));
}

}  // namespace

Tensor activate(const ir::Activation& activation, const Tensor& x) {
  using Kind = ir::Activation::Kind;
  switch (activation.kind) {
    case Kind::none:
      return x;
    case Kind::clip:
      return clip(x, activation.low, activation.high);
    case Kind::leaky_relu:
      return at::leaky_relu(x, static_cast<double>(activation.alpha));
    case Kind::sigmoid:
      return at::sigmoid(x);
    case Kind::tanh:
      return at::tanh(x);
    case Kind::silu:
      return at::silu(x);
    case Kind::hard_sigmoid:
      return hard_sigmoid(x, static_cast<double>(activation.alpha),
                          static_cast<double>(activation.beta));
    case Kind::hard_swish:
      return at::hardswish(x);
  }
  XGEN_CHECK(false, "activation ", static_cast<int>(activation.kind));
  return x;
}

Tensor compute(const ir::Unary& op, const NodeCall& call) {
  const Tensor& x = call.input();
  using Kind = ir::Unary::Kind;
  switch (op.kind) {
    case Kind::relu:
      return at::relu(x);
    case Kind::leaky_relu:
      return at::leaky_relu(x, static_cast<double>(op.alpha));
    case Kind::clip:
      return clip(x, op.low, op.high);
    case Kind::sigmoid:
      return at::sigmoid(x);
    case Kind::tanh:
      return at::tanh(x);
    case Kind::silu:
      return at::silu(x);
    case Kind::hard_sigmoid:
      return hard_sigmoid(x, static_cast<double>(op.alpha), static_cast<double>(op.beta));
    case Kind::hard_swish:
      return at::hardswish(x);
    case Kind::exp:
      return at::exp(x);
    case Kind::log:
      return at::log(x);
    case Kind::neg:
      return at::neg(x);
    case Kind::sqrt:
      return at::sqrt(x);
    case Kind::abs:
      return at::abs(x);
    case Kind::erf:
      return at::erf(x);
    case Kind::reciprocal:
      return at::reciprocal(x);
  }
  XGEN_CHECK(false, "unary operator ", static_cast<int>(op.kind));
  return x;
}

Tensor compute(const ir::Binary& op, const NodeCall& call) {
  const auto [a, b] = on_one_device(call.input(0), call.input(1));
  using Kind = ir::Binary::Kind;
  switch (op.kind) {
    case Kind::add:
      return a + b;
    case Kind::sub:
      return a - b;
    case Kind::mul:
      return a * b;
    case Kind::div:
      // ONNX divides integers as C does.
      return a.is_floating_point() || b.is_floating_point() ? a / b : at::div(a, b, "trunc");
    case Kind::pow:
      return at::pow(a, b);
    case Kind::max:
      return at::maximum(a, b);
    case Kind::min:
      return at::minimum(a, b);
  }
  XGEN_CHECK(false, "binary operator ", static_cast<int>(op.kind));
  return a;
}

Tensor compute(const ir::Cast& op, const NodeCall& call) {
  // A graph that is trained in float64 stays so.
  const bool to_float = op.to == ir::DType::f32 || op.to == ir::DType::f64;
  if (to_float && call.input().is_floating_point()) return call.input();
  return call.input().to(to_torch(op.to));
}

Tensor compute(const ir::Softmax& op, const NodeCall& call) {
  return at::softmax(call.input(), op.axis);
}

Tensor compute(const ir::Reduce& op, const NodeCall& call) {
  const Tensor& x = call.input();
  std::vector<std::int64_t> axes;
  if (call.has(1)) axes = to_integers(call.input(1));
  if (axes.empty()) {
    for (std::int64_t d = 0; d < x.dim(); ++d) axes.push_back(d);
  }
  switch (op.kind) {
    case ir::Reduce::Kind::mean:
      return at::mean(x, axes, op.keep_dims);
    case ir::Reduce::Kind::sum:
      return at::sum(x, axes, op.keep_dims);
    case ir::Reduce::Kind::max:
      return at::amax(x, axes, op.keep_dims);
  }
  XGEN_CHECK(false, "reduction ", static_cast<int>(op.kind));
  return x;
}

Tensor compute(const ir::Dropout& op, const NodeCall& call) {
  const Tensor& x = call.input();
  if (!call.training || op.ratio <= 0) return x;
  // Drawn on the CPU in row-major order, so that a mask is the same on every device.
  Tensor keep = torch::empty(x.sizes(), torch::kFloat);
  auto* element = static_cast<float*>(keep.data_ptr());
  RandomStream random = call.random;
  const float scale = 1 / (1 - op.ratio);
  for (std::int64_t i = 0; i < keep.numel(); ++i) {
    element[i] = random.uniform_float() < op.ratio ? 0.0F : scale;
  }
  return x * keep.to(x.device(), x.scalar_type());
}

}  // namespace xgen::train
