#pragma once

#include <torch/types.h>

#include <vector>

#include "core/ir/graph.h"
#include "core/random.h"

/// How LibTorch computes each operator of core/ir/ops.h. A function never changes its inputs,
/// BatchNorm's running statistics excepted.
namespace xgen::train {

using torch::Tensor;

/// What a node's function may look at.
struct NodeCall {
  const ir::Node& node;
  const std::vector<Tensor>& inputs;  ///< undefined where an optional input is absent.
  bool training = false;              ///< dropout drops.
  bool batch_statistics = false;  ///< BatchNorm normalises by the batch and updates inputs 3 and 4.
  double batch_norm_momentum = -1;  ///< share of the new value; negative: the node's.
  RandomStream random{0, 0};        ///< of this step and this node.

  bool has(std::size_t i) const { return i < inputs.size() && inputs[i].defined(); }
  const Tensor& input(std::size_t i = 0) const { return inputs.at(i); }
  Tensor input_or_undefined(std::size_t i) const { return has(i) ? inputs[i] : Tensor(); }
};

// convolution.cpp, linear.cpp
Tensor compute(const ir::Conv& op, const NodeCall& call);
Tensor compute(const ir::BatchNorm& op, const NodeCall& call);
Tensor compute(const ir::Gemm& op, const NodeCall& call);
Tensor compute(const ir::MatMul& op, const NodeCall& call);
// pool.cpp
Tensor compute(const ir::MaxPool& op, const NodeCall& call);
Tensor compute(const ir::AveragePool& op, const NodeCall& call);
Tensor compute(const ir::GlobalAveragePool& op, const NodeCall& call);
// elementwise.cpp
Tensor compute(const ir::Unary& op, const NodeCall& call);
Tensor compute(const ir::Binary& op, const NodeCall& call);
Tensor compute(const ir::Cast& op, const NodeCall& call);
Tensor compute(const ir::Softmax& op, const NodeCall& call);
Tensor compute(const ir::Reduce& op, const NodeCall& call);
Tensor compute(const ir::Dropout& op, const NodeCall& call);
// movement.cpp
Tensor compute(const ir::Concat& op, const NodeCall& call);
Tensor compute(const ir::Slice& op, const NodeCall& call);
Tensor compute(const ir::Pad& op, const NodeCall& call);
Tensor compute(const ir::Reshape& op, const NodeCall& call);
Tensor compute(const ir::Flatten& op, const NodeCall& call);
Tensor compute(const ir::Transpose& op, const NodeCall& call);
Tensor compute(const ir::Unsqueeze& op, const NodeCall& call);
Tensor compute(const ir::Squeeze& op, const NodeCall& call);
Tensor compute(const ir::Gather& op, const NodeCall& call);
Tensor compute(const ir::ShapeOf& op, const NodeCall& call);
// resize.cpp
Tensor compute(const ir::Resize& op, const NodeCall& call);
// quantize.cpp
Tensor compute(const ir::QuantizeLinear& op, const NodeCall& call);
Tensor compute(const ir::DequantizeLinear& op, const NodeCall& call);

/// x after a fused activation.
Tensor activate(const ir::Activation& activation, const Tensor& x);

/// round(x), half to even, whose gradient is that of the identity (straight-through estimator,
/// Bengio et al., arXiv:1308.3432).
Tensor round_straight_through(const Tensor& x);

/// x at the nearest values that `quant` and [low, high] can represent, in the type of x; gradients
/// pass where nothing saturates.
Tensor fake_quantize(const Tensor& x, const ir::QuantParams& quant, double low, double high);

/// x with `pads` (top, left, bottom, right) on its last two dimensions.
Tensor pad_image(const Tensor& x, const std::array<std::int64_t, 4>& pads, double value);

}  // namespace xgen::train
