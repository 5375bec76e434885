#include "train/ops/node_call.h"

namespace xgen::train {

Tensor pad_image(const Tensor& x, const std::array<std::int64_t, 4>& pads, double value) {
  if (pads == std::array<std::int64_t, 4>{}) return x;
  return at::constant_pad_nd(x, {pads[1], pads[3], pads[0], pads[2]}, value);
}

Tensor compute(const ir::Conv& op, const NodeCall& call) {
  const bool symmetric = op.pads[0] == op.pads[2] && op.pads[1] == op.pads[3];
  const Tensor x = symmetric ? call.input() : pad_image(call.input(), op.pads, 0);
  const std::array<std::int64_t, 2> padding =
      symmetric ? std::array{op.pads[0], op.pads[1]} : std::array<std::int64_t, 2>{};
  const bool has_bias = call.has(2) && (!op.epilogue.residual || call.inputs.size() > 3);
  Tensor y = at::conv2d(x, call.input(1), has_bias ? call.input(2) : Tensor(), op.strides, padding,
                        op.dilations, op.groups);
  y = activate(op.epilogue.before_add, y);
  if (op.epilogue.residual) {
    if (op.epilogue.before_residual) y = fake_quantize(y, *op.epilogue.before_residual, 0, 255);
    y = y + call.inputs.back();
  }
  return activate(op.epilogue.activation, y);
}

Tensor compute(const ir::BatchNorm& op, const NodeCall& call) {
  const Tensor& mean = call.input(3);
  const Tensor& variance = call.input(4);
  if (!call.batch_statistics) {
    return at::batch_norm(call.input(), call.input(1), call.input(2), mean, variance, false, 0,
                          static_cast<double>(op.epsilon), false);
  }
  // Another node may read the same statistics in its backward pass: only copies are changed here.
  const double momentum = call.batch_norm_momentum >= 0 ? call.batch_norm_momentum
                                                        : 1 - static_cast<double>(op.momentum);
  const Tensor new_mean = mean.clone();
  const Tensor new_variance = variance.clone();
  Tensor y = at::batch_norm(call.input(), call.input(1), call.input(2), new_mean, new_variance,
                            true, momentum, static_cast<double>(op.epsilon), false);
  const torch::NoGradGuard no_grad;
  mean.copy_(new_mean);
  variance.copy_(new_variance);
  return y;
}

}  // namespace xgen::train
