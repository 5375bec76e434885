#include <gtest/gtest.h>

#include <cmath>

#include "prune/algorithms/algorithm.h"
#include "prune/algorithms/list.h"
#include "tests/prune/least_squares.h"

namespace xgen::prune {
namespace {

constexpr int kEpochs = 12, kSteps = 50;

// The loop of train::Stage, as far as an algorithm sees it.
class Loop {
 public:
  /// @param start  the weights to begin with; undefined: the dense solution.
  Loop(const std::string& name, std::uint64_t seed, const torch::Tensor& start = {})
      : problem(seed) {
    if (start.defined())
      problem.w.detach().copy_(start);
    else
      problem.train([&] { return problem.loss(); }, [] {}, 400);
    AlgorithmConfig config;
    config.name = name;
    config.epochs = kEpochs;
    config.rho = {0.1, 1, 10};
    config.update_steps = 20;
    config.strength = 0.02;
    const Params params{{"w", problem.w}};
    algorithm = make_algorithm(
        {params, {LeastSquares::layer()}, config, kEpochs * kSteps, [this] {
           return Params{
               {"w", logical_weight(problem.w, LeastSquares::layer().shape, true).square()}};
         }});
  }
  void run(int epochs, std::int64_t first_step = 0) {
    std::int64_t step = first_step;
    for (int epoch = 0; epoch < epochs; ++epoch) {
      problem.train(
          [&] {
            const torch::Tensor extra = algorithm->extra_loss();
            return extra.defined() ? problem.loss() + extra : problem.loss();
          },
          [&] { algorithm->after_step(step++); }, kSteps);
      algorithm->after_epoch();
    }
  }

  LeastSquares problem;
  std::unique_ptr<Algorithm> algorithm;
};

class Trained : public ::testing::TestWithParam<const char*> {};
class TrainedOnTheSameTask : public Trained {};

TEST_P(TrainedOnTheSameTask, FindsABetterSupportThanOneShot) {
  double one_shot = 0, trained = 0;
  for (std::uint64_t seed = 0; seed < 6; ++seed) {
    Loop at_once("one_shot", seed);
    one_shot += at_once.problem.masked_loss(at_once.algorithm->masks());
    Loop loop(GetParam(), seed);
    loop.algorithm->begin();
    loop.run(kEpochs);
    const MaskSet masks = loop.algorithm->masks();
    EXPECT_EQ(masks.layers().at("w").keep.sum().item<int>(), 12);
    trained += loop.problem.masked_loss(masks);
  }
  EXPECT_LT(trained, 0.9 * one_shot);
}

TEST_P(Trained, GoesOnFromItsState) {
  Loop whole(GetParam(), 3), first(GetParam(), 3), second(GetParam(), 3);
  whole.algorithm->begin();
  whole.run(2);
  whole.run(2, 2 * kSteps);
  first.algorithm->begin();
  first.run(2);
  Params saved;
  for (const auto& [name, tensor] : first.algorithm->state()) saved[name] = tensor.clone();
  second.problem.w.detach().copy_(first.problem.w.detach());
  second.algorithm->load(saved);
  second.run(2, 2 * kSteps);
  EXPECT_TRUE(torch::equal(second.problem.w, whole.problem.w));
  EXPECT_EQ(second.algorithm->masks().hash(), whole.algorithm->masks().hash());
}

INSTANTIATE_TEST_SUITE_P(Algorithms, Trained,
                         ::testing::Values("admm", "gradual", "group_lasso", "movement"),
                         [](const auto& test) { return std::string(test.param); });

INSTANTIATE_TEST_SUITE_P(Algorithms, TrainedOnTheSameTask,
                         ::testing::Values("admm", "gradual", "group_lasso"),
                         [](const auto& test) { return std::string(test.param); });

TEST(Gradual, DropsByTheCubicSchedule) {
  Loop loop("gradual", 1);
  loop.algorithm->begin();
  const auto alive = [&] { return loop.problem.w.ne(0).sum().item<int>(); };
  EXPECT_EQ(alive(), 32);
  constexpr double kAll = kEpochs * kSteps;
  for (std::int64_t step = 0; step < kEpochs * kSteps; ++step) {
    loop.algorithm->after_step(step);
    if ((step + 1) % 20 != 0) continue;
    const double open =
        std::pow(1 - std::min(1.0, static_cast<double>(step + 1) / (0.75 * kAll)), 3);
    EXPECT_EQ(alive(), 2 * (6 + std::lround(open * 10))) << "after step " << step;
  }
  EXPECT_EQ(alive(), 12);
}

TEST(GroupLasso, PullsWeakBlocksHarder) {
  Loop loop("group_lasso", 1);
  const torch::Tensor extra = loop.algorithm->extra_loss();
  extra.backward();
  // Relative to the weight, the pull falls as the block's energy grows.
  const torch::Tensor w =
      logical_weight(loop.problem.w, LeastSquares::layer().shape, true).detach();
  const torch::Tensor pull =
      logical_weight(loop.problem.w.grad(), LeastSquares::layer().shape, true) / w;
  const torch::Tensor energy = w.view({2, 2, 8}).square().sum(1);
  const torch::Tensor of_block = pull.view({2, 2, 8}).mean(1);
  const auto weakest = energy.flatten().argmin().item<std::int64_t>();
  EXPECT_EQ(of_block.flatten().argmax().item<std::int64_t>(), weakest);
}

// What was learnt before is large; the task at hand needs three other inputs.
TEST(Movement, KeepsWhatTheTaskNeedsThoughItIsSmall) {
  LeastSquares problem(2);
  torch::Tensor truth = torch::zeros({8, 4});
  truth.slice(0, 5, 8).fill_(1);
  problem.x = torch::randn({64, 8});
  problem.y = problem.x.matmul(truth);
  problem.w.detach().fill_(0.8);
  problem.w.detach().slice(0, 5, 8).fill_(0.3);
  const MaskSet by_size = magnitude_masks({{"w", problem.w}}, {LeastSquares::layer()});
  EXPECT_FALSE(by_size.layers().at("w").keep.slice(0, 5, 8).any().item<bool>());
  Loop fresh("movement", 2, problem.w.detach());
  fresh.problem.x = problem.x;
  fresh.problem.y = problem.y;
  fresh.algorithm->begin();
  fresh.run(kEpochs);
  EXPECT_TRUE(torch::equal(fresh.algorithm->masks().layers().at("w").keep, truth.ne(0)));
}

TEST(Algorithms, SayWhatACheckpointLacks) {
  Loop loop("movement", 1);
  try {
    loop.algorithm->load({});
    FAIL();
  } catch (const UserError& error) {
    EXPECT_STREQ(error.what(),
                 "checkpoint: expected the state \"w/dense\" of shape [8, 4], got nothing");
  }
}

}  // namespace
}  // namespace xgen::prune
