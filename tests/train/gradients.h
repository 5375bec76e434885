#pragma once

#include <gtest/gtest.h>
#include <torch/types.h>

#include "core/ir/graph.h"
#include "train/graph_module.h"

namespace xgen::train {

/// Seeded numbers in [low, high), no two of which are close: differences of 1e-6 change no maximum
/// and cross no kink.
inline Tensor spread(at::IntArrayRef shape, double low = -2, double high = 2, int seed = 1) {
  std::int64_t n = 1;
  for (const auto extent : shape) n *= extent;
  const auto order = Random(static_cast<std::uint64_t>(seed)).stream("spread").permutation(n);
  const Tensor index = torch::tensor(order, torch::kLong).to(torch::kDouble);
  return (low + (high - low) * (index + 0.37) / static_cast<double>(n)).reshape(shape);
}

inline ir::Constant double_constant(const Tensor& t, ir::Role role) {
  const Tensor flat = t.contiguous();
  const auto* first = static_cast<const double*>(flat.data_ptr());
  return ir::Constant::of<double>(flat.sizes().vec(),
                                  std::vector<double>(first, first + flat.numel()), role);
}

/// Compares the gradients of every output, weighted with fixed numbers, with central differences in
/// double precision: for the inputs and for the graph's parameters.
inline void expect_right_gradients(const ir::Graph& graph, std::vector<Tensor> inputs,
                                   bool training = false) {
  GraphModule module(graph, torch::kCPU, torch::kDouble);
  module.train(training);
  const auto loss = [&]() {
    Tensor sum = torch::zeros({}, torch::kDouble);
    int seed = 11;
    for (const Tensor& y : module.forward(inputs)) {
      sum = sum + (y * spread(y.sizes(), -1, 1, seed++)).sum();
    }
    return sum;
  };
  std::vector<std::pair<std::string, Tensor>> checked;
  for (Tensor& x : inputs) {
    if (!x.is_floating_point()) continue;
    x = x.clone().requires_grad_(true);
    checked.emplace_back(str("input ", checked.size()), x);
  }
  for (const auto& [name, parameter] : module.parameters()) checked.emplace_back(name, parameter);
  loss().backward();

  const torch::NoGradGuard no_grad;
  constexpr double kStep = 1e-6;
  for (const auto& [name, tensor] : checked) {
    ASSERT_TRUE(tensor.grad().defined()) << name;
    Tensor dense = tensor.detach();  // shares memory with the tensor
    const Tensor gradient = tensor.grad().contiguous().reshape({-1});
    // Every element through its own index: channels_last tensors have no flat view.
    std::vector<std::int64_t> index(static_cast<std::size_t>(dense.dim()), 0);
    for (std::int64_t i = 0; i < dense.numel(); ++i) {
      Tensor element = dense;
      std::int64_t rest = i;
      for (std::int64_t d = dense.dim(); d-- > 0;) {
        index[static_cast<std::size_t>(d)] = rest % dense.size(d);
        rest /= dense.size(d);
      }
      for (const std::int64_t at : index) element = element.select(0, at);
      const double old = element.item<double>();
      element.fill_(old + kStep);
      const double above = loss().item<double>();
      element.fill_(old - kStep);
      const double below = loss().item<double>();
      element.fill_(old);
      const double expected = (above - below) / (2 * kStep);
      const double actual = gradient[i].item<double>();
      ASSERT_NEAR(actual, expected, 1e-6 * (1 + std::abs(expected))) << name << " element " << i;
    }
  }
}

}  // namespace xgen::train
