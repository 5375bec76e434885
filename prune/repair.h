#pragma once

#include <torch/types.h>

#include "core/sparsity.h"

namespace xgen::prune {

/// Finds what is left of a pruned layer's weights anew, such that its results on some inputs come
/// as near as they can to those that they should be: no training, a system of equations for each
/// group of filters with the same mask.
///
/// Source: the least squares of Frantar and Alistarh, Optimal Brain Compression, arXiv:2208.11580,
/// for all weights of a fixed mask at once.
class Repair {
 public:
  /// @param shape  of the weight.
  explicit Repair(const WeightShape& shape);

  /// @param columns  [c_in * taps, n]: what each weight of a filter is multiplied by, n times.
  /// @param targets  [c_out, n]: what the results should be, without biases.
  void add(const torch::Tensor& columns, const torch::Tensor& targets);

  /// The weights under the mask with the least sum of squared errors, drawn a little towards those
  /// that were given, which decide where the inputs do not.
  /// @param weight, keep  [c_out, c_in, kh, kw]; keep is bool.
  /// @return              like weight, zero where dropped.
  torch::Tensor solve(const torch::Tensor& weight, const torch::Tensor& keep) const;

 private:
  WeightShape shape_;
  torch::Tensor inputs_;   ///< sum of x x^T, [k, k], double.
  torch::Tensor targets_;  ///< sum of y x^T, [c_out, k], double.
};

/// What the weights of a convolution are multiplied by: [c_in * kh * kw, images * positions], rows
/// in the order of a filter's weights.
/// @param x  [images, c_in, height, width]. @param pads  top, left, bottom, right.
torch::Tensor convolution_columns(const torch::Tensor& x, const WeightShape& shape,
                                  at::IntArrayRef pads, at::IntArrayRef strides,
                                  at::IntArrayRef dilations);

}  // namespace xgen::prune
