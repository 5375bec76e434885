#include "search/supernet.h"

#include <gtest/gtest.h>
#include <torch/cuda.h>

#include "core/interrupt.h"
#include "core/log.h"
#include "tests/support/lined_images.h"
#include "tests/support/message.h"
#include "tests/support/temporary_folder.h"
#include "train/checkpoint.h"
#include "train/evaluate.h"
#include "train/stage.h"
#include "train/tensors.h"

namespace xgen::search {
namespace {

using test::message_of;
using test::TemporaryFolder;

MacroSpace lines_space(std::vector<std::string> blocks = {"mb1_k3", "identity", "mb3_k3"}) {
  MacroSpace space;
  space.image_channels = 1;
  space.image_size = 8;
  space.classes = 3;
  space.stem_channels = 4;
  space.head_channels = 12;
  space.stages = {{4, 2, 1}, {8, 1, 2}};
  space.blocks = std::move(blocks);
  return space;
}

std::vector<float> weights(const ir::Graph& graph, const std::string& name) {
  const auto values = graph.constant(graph.find(name))->as<float>();
  return {values.begin(), values.end()};
}

class SupernetTest : public ::testing::Test {
 protected:
  SupernetTest() {
    log::set_level(log::Level::off);
    how_.training.batch_size = 20;
    how_.training.lr = 0.05;
    how_.training.checkpoint_every_seconds = 0;
    how_.epochs = 2;
    how_.folder = folder_.path();
  }
  ~SupernetTest() override { log::set_level(log::Level::info); }

  TemporaryFolder folder_;
  train::Dataset data_ = test::lined_images(120, 1, 120);  // 6 full batches an epoch
  Calibration calibration_{data_, {}, 30, 4};
  SupernetTraining how_;
};

TEST_F(SupernetTest, EveryCandidateInheritsWhatTellsClassesApart) {
  how_.epochs = 8;
  Supernet supernet(lines_space(), 1);
  const train::Dataset fresh = test::lined_images(90, 2, 120);
  supernet.train(data_, how_);
  for (const Point& point : {Point{0, 0, 0}, Point{1, 1, 1}, Point{2, 2, 2}, Point{0, 2, 1}})
    EXPECT_GT(supernet.accuracy(point, calibration_, fresh), 0.8) << testing::PrintToString(point);
}

TEST_F(SupernetTest, InPlaceDistillationTeachesThemToo) {
  how_.epochs = 8;
  how_.distill = true;
  Supernet supernet(lines_space(), 1);
  supernet.train(data_, how_);
  for (const Point& point : {Point{1, 1, 1}, Point{0, 2, 1}})
    EXPECT_GT(supernet.accuracy(point, calibration_, test::lined_images(90, 2, 120)), 0.8);
}

TEST_F(SupernetTest, CandidatesShareTheWeightsOfABlockInItsPlace) {
  Supernet supernet(lines_space(), 1);
  supernet.train(data_, how_);
  const ir::Graph a = supernet.candidate({2, 1, 0}, calibration_);
  const ir::Graph b = supernet.candidate({2, 2, 2}, calibration_);
  for (const char* name : {"stem.conv.weight", "block1.expand.conv.weight",
                           "block1.project.bn.weight", "head.conv.weight", "fc.bias"})
    EXPECT_EQ(weights(a, name), weights(b, name)) << name;
  // Of the third block they take another one.
  EXPECT_NE(weights(a, "block3.project.bn.weight"), weights(b, "block3.project.bn.weight"));
}

TEST_F(SupernetTest, TrainsWhatPathsTakeAndNothingElse) {
  how_.random_paths = 0;
  Supernet supernet(lines_space(), 1);
  EXPECT_EQ(supernet.largest(), (Point{2, 2, 2}));
  EXPECT_EQ(supernet.smallest(), (Point{1, 1, 1}));
  supernet.train(data_, how_);
  const auto is_as_initialised = [&](int choice, const std::string& name) {
    const Point point(3, choice);
    return weights(supernet.candidate(point, calibration_), name) ==
           weights(lines_space().network(point, Random(1)), name);
  };
  EXPECT_TRUE(is_as_initialised(0, "block3.project.conv.weight"));
  EXPECT_FALSE(is_as_initialised(1, "block3.conv.weight"));
  EXPECT_FALSE(is_as_initialised(2, "block3.project.conv.weight"));
  EXPECT_FALSE(is_as_initialised(0, "stem.conv.weight"));
}

// A space of one candidate, which is the largest and the smallest at once: a step of a supernet is
// a step of that network with another learning rate.
class OneCandidate : public SupernetTest {
 protected:
  static constexpr std::int64_t kSteps = 6;

  OneCandidate() {
    how_.epochs = 1;
    how_.random_paths = 1;
    how_.training.optimizer = "sgd";
    how_.training.momentum = 0.5;
    how_.training.weight_decay = 0;
  }
  double farthest_from_training(double rate_factor) {
    Supernet supernet(space_, 1);
    supernet.train(data_, how_);
    const ir::Graph found = supernet.candidate({0, 0, 0}, calibration_);
    const TemporaryFolder folder;
    train::TrainContext context;
    context.run_folder = folder.path();
    train::TrainingConfig config = how_.training;
    config.lr *= rate_factor;
    train::GraphModule module(space_.network({0, 0, 0}, Random(1)));
    train::train(module, data_, {}, config, context);
    double farthest = 0;
    for (const auto& [name, tensor] : module.parameters()) {
      const torch::Tensor other = train::to_tensor(*found.constant(found.find(name)));
      farthest = std::max(farthest, (other - tensor.detach()).abs().max().item<double>());
    }
    return farthest;
  }
  MacroSpace space_ = lines_space({"mb3_k3"});
};

TEST_F(OneCandidate, SumsTheGradientsOfAllPaths) {
  how_.training.lr = 0.01;
  EXPECT_LT(farthest_from_training(3), 1e-4);  // largest, smallest, one that is drawn
  EXPECT_GT(farthest_from_training(2), 1e-3);  // what a path too few would be
}

TEST_F(OneCandidate, LearnsNothingFromItsOwnLogits) {
  how_.training.lr = 0.01;
  how_.distill = true;
  how_.training.distill_weight = 0.75;
  EXPECT_LT(farthest_from_training(1.5), 1e-4);  // 1 + 1/4 + 1/4
}

TEST_F(SupernetTest, AnInterruptedAndResumedTrainingEndsWithTheSameBits) {
  for (const bool distill : {false, true}) {
    how_.distill = distill;
    const TemporaryFolder whole, stopped;
    how_.folder = whole.path();
    how_.resume = false;
    how_.stop_requested = nullptr;
    const std::string expected = Supernet(lines_space(), 1).train(data_, how_);
    how_.folder = stopped.path();
    int steps = 0;
    how_.stop_requested = [&] { return ++steps == 8; };
    EXPECT_THROW(Supernet(lines_space(), 1).train(data_, how_), Interrupted);
    how_.stop_requested = nullptr;
    how_.resume = true;
    Supernet resumed(lines_space(), 1);
    EXPECT_EQ(resumed.train(data_, how_), expected);
    EXPECT_EQ(Supernet(lines_space(), 1).train(data_, how_), expected);  // only loaded
    how_.resume = false;
    EXPECT_NE(Supernet(lines_space(), 2).train(data_, how_), expected);
  }
}

TEST_F(SupernetTest, RefusesToGoOnWithOtherPaths) {
  Supernet(lines_space(), 1).train(data_, how_);
  how_.resume = true;
  how_.random_paths = 3;
  EXPECT_EQ(message_of([&] { Supernet(lines_space(), 1).train(data_, how_); }),
            "a supernet that was trained with random_paths = 2 cannot be resumed with 3; restore "
            "what it was, or start again in another folder");
  const MacroSpace other = lines_space({"identity", "mb3_k3"});
  EXPECT_EQ(message_of([&] { Supernet(other, 1).train(data_, how_); },
                       (how_.folder / "checkpoints/supernet.safetensors").string()),
            "F: is a checkpoint of another model: it has weights "
            "\"block1.mb1_k3.depthwise.bn.bias\" besides");
}

TEST_F(SupernetTest, RefusesImagesOfAnotherSize) {
  MacroSpace space = lines_space();
  space.image_size = 16;
  EXPECT_EQ(message_of([&] { Supernet(space, 1).train(data_, how_); }),
            "the supernet's space: expected images of 1x16x16 in 3 classes, got 1x8x8 in 3");
}

TEST_F(SupernetTest, TrainsOnCudaWhereThereIsOne) {
  if (!torch::cuda::is_available()) {
    EXPECT_EQ(
        message_of([] { Supernet(lines_space(), 1, "cuda"); }),
        "the supernet's device: expected one of this machine, got \"cuda\"; LibTorch finds no "
        "CUDA device");
    return;
  }
  how_.epochs = 8;
  Supernet supernet(lines_space(), 1, "cuda");
  supernet.train(data_, how_);
  EXPECT_GT(supernet.accuracy({0, 2, 1}, calibration_, test::lined_images(90, 2, 120)), 0.8);
}

TEST_F(SupernetTest, ACandidateIsANetworkOfTheSpaceWithStatisticsOfItsOwn) {
  Supernet supernet(lines_space(), 1);
  supernet.train(data_, how_);
  const Point point = {0, 2, 1};
  const ir::Graph candidate = supernet.candidate(point, calibration_);
  EXPECT_EQ(train::structure_hash(candidate),
            train::structure_hash(lines_space().network(point, Random(1))));
  // The block in the third place is the same; what comes before it is not.
  const ir::Graph other = supernet.candidate({2, 0, 1}, calibration_);
  EXPECT_EQ(weights(candidate, "block3.conv.weight"), weights(other, "block3.conv.weight"));
  EXPECT_NE(weights(candidate, "block3.bn.running_mean"), weights(other, "block3.bn.running_mean"));
  // Asked again, whatever was asked between, it is the same to the last bit.
  train::GraphModule module(supernet.candidate(point, calibration_));
  EXPECT_EQ(module.weights_hash(), train::GraphModule(candidate).weights_hash());
  const train::Dataset fresh = test::lined_images(90, 2, 120);
  EXPECT_EQ(train::evaluate(module, fresh, {}).top1, supernet.accuracy(point, calibration_, fresh));
}

TEST_F(SupernetTest, AskingForACandidateLeavesTheSupernetAlone) {
  const auto trained_twice = [&](bool ask) {
    how_.epochs = 1;
    how_.training.batch_size = 60;  // few steps, which do not wash out old statistics
    Supernet supernet(lines_space(), 1);
    supernet.train(data_, how_);
    if (ask) supernet.candidate({0, 1, 2}, calibration_);
    return supernet.train(data_, how_);
  };
  EXPECT_EQ(trained_twice(true), trained_twice(false));
}

TEST_F(SupernetTest, ACandidateThatIsTrainedOnLeavesTheSupernetAlone) {
  Supernet supernet(lines_space(), 1);
  supernet.train(data_, how_);
  const ir::Graph before = supernet.candidate({2, 2, 2}, calibration_);
  train::GraphModule module(before);
  const TemporaryFolder folder;
  train::TrainContext context;
  context.run_folder = folder.path();
  train::train(module, data_, {}, how_.training, context);
  EXPECT_NE(module.weights_hash(), train::GraphModule(before).weights_hash());
  const ir::Graph after = supernet.candidate({2, 2, 2}, calibration_);
  EXPECT_EQ(train::GraphModule(after).weights_hash(), train::GraphModule(before).weights_hash());
}

}  // namespace
}  // namespace xgen::search
