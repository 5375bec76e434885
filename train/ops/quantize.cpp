#include <torch/csrc/autograd/custom_function.h>

#include "train/ops/node_call.h"

namespace xgen::train {
namespace {

class RoundStraightThrough : public torch::autograd::Function<RoundStraightThrough> {
 public:
  static Tensor forward(torch::autograd::AutogradContext* /*context*/, const Tensor& x) {
    return at::round(x);  // half to even
  }
  static torch::autograd::tensor_list backward(torch::autograd::AutogradContext* /*context*/,
                                               torch::autograd::tensor_list gradients) {
    return {gradients[0]};
  }
};

/// Saturation whose gradient is 1 on the bounds too, which are representable values; LibTorch's
/// clamp decides that differently from version to version.
class Saturate : public torch::autograd::Function<Saturate> {
 public:
  static Tensor forward(torch::autograd::AutogradContext* context, const Tensor& x, double low,
                        double high) {
    context->save_for_backward({(x >= low) & (x <= high)});
    return at::clamp(x, low, high);
  }
  static torch::autograd::tensor_list backward(torch::autograd::AutogradContext* context,
                                               torch::autograd::tensor_list gradients) {
    return {gradients[0] * context->get_saved_variables()[0], Tensor(), Tensor()};
  }
};

/// A scale or zero point, per tensor or along `axis`, broadcast to the rank of x.
Tensor along_axis(const Tensor& parameter, const Tensor& x, std::int64_t axis) {
  const Tensor p = parameter.to(x.device());
  if (p.numel() == 1) return p.reshape({});
  std::vector<std::int64_t> shape(static_cast<std::size_t>(x.dim()), 1);
  shape.at(static_cast<std::size_t>(axis < 0 ? axis + x.dim() : axis)) = p.numel();
  return p.reshape(shape);
}

}  // namespace

Tensor round_straight_through(const Tensor& x) { return RoundStraightThrough::apply(x); }

Tensor fake_quantize(const Tensor& x, const ir::QuantParams& quant, double low, double high) {
  const Tensor scale =
      along_axis(torch::tensor(quant.scale).to(x.scalar_type()), x, std::max(quant.axis, 0));
  const Tensor zero =
      along_axis(torch::tensor(quant.zero_point).to(x.scalar_type()), x, std::max(quant.axis, 0));
  const Tensor q = Saturate::apply(round_straight_through(x / scale) + zero, low, high);
  return (q - zero) * scale;
}

/// The result stays in x's floating type, so that gradients can flow; its values are integers.
Tensor compute(const ir::QuantizeLinear& op, const NodeCall& call) {
  const Tensor& x = call.input();
  const Tensor q = round_straight_through(x / along_axis(call.input(1), x, op.axis));
  double low = 0, high = 255;
  if (!call.has(2)) return Saturate::apply(q, low, high);
  const Tensor& zero = call.input(2);
  if (zero.scalar_type() == torch::kChar) {
    low = -128;
    high = 127;
  } else if (zero.scalar_type() == torch::kInt) {
    low = -2147483648.0;
    high = 2147483647.0;
  }
  return Saturate::apply(q + along_axis(zero, x, op.axis).to(x.scalar_type()), low, high);
}

Tensor compute(const ir::DequantizeLinear& op, const NodeCall& call) {
  const Tensor& scale = call.input(1);
  const Tensor x = call.input().to(scale.device(), scale.scalar_type());
  const Tensor shifted =
      call.has(2) ? x - along_axis(call.input(2), x, op.axis).to(x.scalar_type()) : x;
  return shifted * along_axis(scale, x, op.axis);
}

}  // namespace xgen::train
