#include "prune/algorithms/admm.h"

#include <gtest/gtest.h>

#include "tests/prune/least_squares.h"

namespace xgen::prune {
namespace {

PlannedLayer layer() { return LeastSquares::layer(); }

TEST(Admm, FindsABetterSupportThanOneShot) {
  double one_shot = 0;
  double admm_sum = 0;
  for (std::uint64_t seed = 0; seed < 6; ++seed) {
    LeastSquares problem(seed);
    const Params params{{"w", problem.w}};
    problem.train([&] { return problem.loss(); }, [] {}, 400);
    const torch::Tensor dense = problem.w.detach().clone();
    one_shot += problem.masked_loss(magnitude_masks(params, {layer()}));

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
    admm_sum += problem.masked_loss(admm.masks(params));
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
                 "checkpoint: expected the state \"w/u\" of shape [8, 4], got nothing");
  }
}

}  // namespace
}  // namespace xgen::prune
