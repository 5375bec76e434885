#include "train/loss.h"

#include <gtest/gtest.h>

#include <cmath>

#include "train/optimizer.h"
#include "train/schedule.h"
#include "train/zoo/zoo.h"

namespace xgen::train {
namespace {

TEST(Loss, IsTheCrossEntropySmoothedAndBlended) {
  const Tensor logits = torch::tensor({0.0F, std::log(3.0F)}).reshape({1, 2});  // 1/4, 3/4
  Targets targets;
  targets.labels = torch::tensor({0}, torch::kLong);
  EXPECT_NEAR(classification_loss(logits, targets, 0).item<float>(), std::log(4.0), 1e-6);
  const double other = std::log(4.0 / 3);
  EXPECT_NEAR(classification_loss(logits, targets, 0.1).item<float>(),
              0.95 * std::log(4.0) + 0.05 * other, 1e-6);
  targets.second_labels = torch::tensor({1}, torch::kLong);
  targets.first_share = 0.3;
  EXPECT_NEAR(classification_loss(logits, targets, 0).item<float>(),
              0.3 * std::log(4.0) + 0.7 * other, 1e-6);
}

TEST(Loss, OfDistillationIsTheScaledDivergence) {
  const Tensor teacher = torch::tensor({0.0F, 2 * std::log(3.0F)}).reshape({1, 2});
  const Tensor student = torch::zeros({1, 2});
  // At temperature 2: 1/4, 3/4 against 1/2, 1/2.
  const double divergence = 0.25 * std::log(0.5) + 0.75 * std::log(1.5);
  EXPECT_NEAR(distillation_loss(student, teacher, 2).item<float>(), 4 * divergence, 1e-6);
  EXPECT_NEAR(distillation_loss(teacher, teacher, 2).item<float>(), 0, 1e-7);
}

TEST(Schedule, WarmsUpThenFalls) {
  TrainingConfig config;
  config.lr = 1;
  config.warm_up_steps = 4;
  EXPECT_DOUBLE_EQ(learning_rate(config, 0, 104), 0.25);
  EXPECT_DOUBLE_EQ(learning_rate(config, 3, 104), 1);
  EXPECT_DOUBLE_EQ(learning_rate(config, 4, 104), 1);
  EXPECT_NEAR(learning_rate(config, 54, 104), 0.5, 1e-12);
  EXPECT_LT(learning_rate(config, 103, 104), 0.001);
  config.schedule = "step";
  EXPECT_DOUBLE_EQ(learning_rate(config, 53, 104), 1);
  EXPECT_DOUBLE_EQ(learning_rate(config, 54, 104), 0.1);
  EXPECT_NEAR(learning_rate(config, 80, 104), 0.01, 1e-12);
  config.schedule = "constant";
  EXPECT_DOUBLE_EQ(learning_rate(config, 103, 104), 1);
}

TEST(Optimizer, ClipsTheNormOfAllGradientsTogether) {
  GraphModule module(make_zoo_model("digits_cnn", 10, 1));
  Optimizer optimizer(module, {});
  for (const auto& [name, parameter] : module.parameters()) {
    parameter.mutable_grad() = torch::zeros_like(parameter.detach());
  }
  module.tensor("fc.bias").mutable_grad()[0].fill_(3.0F);
  module.tensor("bn1.bias").mutable_grad()[0].fill_(4.0F);
  EXPECT_NEAR(optimizer.clip_gradients(0), 5, 1e-6);
  EXPECT_NEAR(optimizer.clip_gradients(1), 5, 1e-6);
  EXPECT_NEAR(module.tensor("fc.bias").grad()[0].item<float>(), 0.6F, 1e-6);
  EXPECT_NEAR(optimizer.clip_gradients(10), 1, 1e-6);
}

TEST(Optimizer, DecaysWeightsButNeitherBiasesNorBatchNorm) {
  TrainingConfig config;
  config.weight_decay = 0.5;
  config.momentum = 0;
  GraphModule module(make_zoo_model("digits_cnn", 10, 1));
  Optimizer optimizer(module, config);
  const Tensor weight = module.tensor("conv1.weight").detach().clone();
  for (const auto& [name, parameter] : module.parameters()) {
    parameter.mutable_grad() = torch::zeros_like(parameter.detach());
  }
  optimizer.step(0.1);
  EXPECT_TRUE(at::allclose(module.tensor("conv1.weight"), 0.95 * weight));
  EXPECT_TRUE(at::equal(module.tensor("bn1.weight"), torch::ones({16})));
}

}  // namespace
}  // namespace xgen::train
