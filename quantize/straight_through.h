#pragma once

#include <torch/csrc/autograd/custom_function.h>
#include <torch/types.h>

/// Steps of integer arithmetic whose gradients ignore rounding (straight-through estimator, Bengio
/// et al., arXiv:1308.3432). Values are exact: no operation here rounds twice.
namespace xgen::quantize {

struct RoundStraightThrough : torch::autograd::Function<RoundStraightThrough> {
  static torch::Tensor forward(torch::autograd::AutogradContext* /*context*/,
                               const torch::Tensor& x) {
    return x.round();  // half to even
  }
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* /*context*/,
                                                 torch::autograd::variable_list gradients) {
    return {gradients[0]};
  }
};

inline torch::Tensor round_half_even(const torch::Tensor& x) {
  return RoundStraightThrough::apply(x);
}

/// `value`, with the gradient of `slope_of`: finite x - x is 0, and adding 0 changes nothing.
inline torch::Tensor with_gradient_of(const torch::Tensor& value, const torch::Tensor& slope_of) {
  if (!slope_of.requires_grad()) return value;
  return value + (slope_of - slope_of.detach());
}

/// zp + round(min(max(x * scale, low - zp), high - zp)).
inline torch::Tensor rounded_to_steps(const torch::Tensor& x, const torch::Tensor& scale,
                                      double zero_point, double low, double high) {
  return round_half_even((x * scale).clamp(low - zero_point, high - zero_point)) + zero_point;
}

}  // namespace xgen::quantize
