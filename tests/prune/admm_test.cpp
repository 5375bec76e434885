#include "prune/admm.h"

#include <gtest/gtest.h>
#include <torch/optim/sgd.h>

namespace xgen::prune {
namespace {

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
};

PlannedLayer layer() {
  const WeightShape shape{4, 8, 1, 1};
  return {"w", shape, true, {Sparsity::Scheme::block, 2, 1, all_taps(shape), 6}};
}

double masked_loss(const LeastSquares& problem, const MaskSet& masks) {
  const Params params{{"w", problem.w}};
  masks.apply(params);
  problem.train([&] { return problem.loss(); }, [&] { masks.apply(params); }, 400);
  return problem.loss().item<double>();
}

TEST(Admm, FindsABetterSupportThanOneShot) {
  double one_shot = 0;
  double admm_sum = 0;
  for (std::uint64_t seed = 0; seed < 6; ++seed) {
    LeastSquares problem(seed);
    const Params params{{"w", problem.w}};
    problem.train([&] { return problem.loss(); }, [] {}, 400);
    const torch::Tensor dense = problem.w.detach().clone();
    one_shot += masked_loss(problem, magnitude_masks(params, {layer()}));

    problem.w.detach().copy_(dense);
    Admm admm(params, {layer()}, {{0.1, 1, 10}, 30});
    AdmmResiduals first;
    AdmmResiduals last;
    for (int update = 0; update < 30; ++update) {
      problem.train([&] { return problem.loss() + admm.extra_loss(params); }, [] {}, 30);
      last = admm.update(params);
      if (update == 0) first = last;
    }
    EXPECT_LT(last.primal, 0.05);
    EXPECT_LT(last.primal, first.primal);
    admm_sum += masked_loss(problem, admm.masks(params));
  }
  EXPECT_LT(admm_sum, 0.8 * one_shot);
}

TEST(Admm, ExtraLossIsThePenaltyAndItsGradient) {
  LeastSquares problem(1);
  problem.w.detach().normal_();
  const Params params{{"w", problem.w}};
  const Admm admm(params, {layer()}, {{0.5}, 1});
  const torch::Tensor keep = project_weight(problem.w, layer()).keep;
  const torch::Tensor distance = problem.w.detach().masked_fill(keep, 0);  // U = 0
  const torch::Tensor loss = admm.extra_loss(params);
  EXPECT_NEAR(loss.item<double>(), 0.25 * distance.square().sum().item<double>(), 1e-6);
  loss.backward();
  EXPECT_TRUE(torch::allclose(problem.w.grad(), 0.5 * distance));
}

TEST(Admm, WalksThroughTheRhoScheduleAndScalesTheDual) {
  LeastSquares problem(1);
  problem.w.detach().normal_();
  const Params params{{"w", problem.w}};
  Admm admm(params, {layer()}, {{1, 10}, 4});
  EXPECT_EQ(admm.rho(), 1);
  EXPECT_EQ(admm.update(params).rho, 1);
  const torch::Tensor u = admm.state().at("w/u").clone();
  EXPECT_EQ(admm.update(params).rho, 10);
  // rho U, the unscaled dual, continues: one more residual, then a tenth.
  const torch::Tensor z = admm.state().at("w/z");
  EXPECT_TRUE(torch::allclose(admm.state().at("w/u"), (u + problem.w.detach() - z) / 10));
}

TEST(Admm, ComesBackFromItsState) {
  LeastSquares problem(2);
  problem.w.detach().normal_();
  const Params params{{"w", problem.w}};
  Admm admm(params, {layer()}, {{1, 10}, 4});
  admm.update(params);
  Params saved;
  for (const auto& [name, tensor] : admm.state()) saved[name] = tensor.clone();
  Admm restored(params, {layer()}, {{1, 10}, 4});
  restored.load(saved);
  for (int update = 0; update < 2; ++update) {
    admm.update(params);
    restored.update(params);
  }
  for (const auto& [name, tensor] : admm.state()) {
    EXPECT_TRUE(torch::equal(tensor, restored.state().at(name))) << name;
  }
  saved.erase("w/u");
  try {
    restored.load(saved);
    FAIL();
  } catch (const UserError& error) {
    EXPECT_STREQ(error.what(),
                 "checkpoint: expected the ADMM state \"w/u\" of shape [8, 4], got nothing");
  }
}

}  // namespace
}  // namespace xgen::prune
