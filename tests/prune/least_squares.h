#pragma once

#include <torch/optim/sgd.h>

#include <functional>

#include "prune/masks.h"

namespace xgen::prune {

/// Least squares with strongly correlated inputs, where the largest weights of the dense solution
/// are not the ones to keep.
struct LeastSquares {
  torch::Tensor x;
  torch::Tensor y;
  torch::Tensor w;

  explicit LeastSquares(std::uint64_t seed) {
    torch::manual_seed(static_cast<std::int64_t>(seed));
    const torch::Tensor common = torch::randn({64, 2});
    x = torch::randn({64, 8}) * 0.3 + common.matmul(torch::randn({2, 8}));
    y = x.matmul(torch::randn({8, 4})) + 0.05 * torch::randn({64, 4});
    w = torch::zeros({8, 4}).requires_grad_();
  }
  torch::Tensor loss() const { return (x.matmul(w) - y).square().mean(); }
  void train(const std::function<torch::Tensor()>& objective, const std::function<void()>& after,
             int steps) const {
    torch::optim::SGD sgd({w}, torch::optim::SGDOptions(0.05).momentum(0.9));
    for (int step = 0; step < steps; ++step) {
      sgd.zero_grad();
      objective().backward();
      sgd.step();
      after();
    }
  }
  /// Of the best weights under a mask.
  double masked_loss(const MaskSet& masks) const {
    const Params params{{"w", w}};
    masks.apply(params);
    train([&] { return loss(); }, [&] { masks.apply(params); }, 400);
    return loss().item<double>();
  }
  /// Six of the sixteen blocks of two filters stay.
  static PlannedLayer layer() {
    const WeightShape shape{4, 8, 1, 1};
    return {"w", shape, true, {Sparsity::Scheme::block, 2, 1, all_taps(shape), 6}};
  }
};

}  // namespace xgen::prune
