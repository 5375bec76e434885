#include "search/block_training.h"

#include <gtest/gtest.h>
#include <torch/cuda.h>

#include "core/interrupt.h"
#include "core/ir/infer_shapes.h"
#include "core/log.h"
#include "prune/masks.h"
#include "search/spaces/resnet.h"
#include "tests/support/lined_images.h"
#include "tests/support/message.h"
#include "tests/support/temporary_folder.h"
#include "train/evaluate.h"
#include "train/stage.h"
#include "train/tensors.h"

namespace xgen::search {
namespace {

using test::message_of;
using test::TemporaryFolder;

// Three residual blocks of two layers each.
ir::Graph small_resnet() {
  ResnetSpace space;
  space.image_channels = 1;
  space.image_size = 8;
  space.classes = 3;
  space.stem.channels = 16;
  space.stages = {{{16}, {2}, 1}, {{32}, {1}, 2}};
  return ir::bind_dims(ir::infer_shapes(space.network({0, 0, 0, 0}, Random(1))), {{"N", 1}});
}

const train::Dataset& data() {
  static const train::Dataset set = test::lined_images(120, 1, 90);  // 6 full batches an epoch
  return set;
}

train::TrainingConfig training() {
  train::TrainingConfig config;
  config.batch_size = 20;
  config.lr = 0.05;
  config.weight_decay = 0;
  config.checkpoint_every_seconds = 0;
  return config;
}

const ir::Graph& teacher() {
  static const ir::Graph graph = [] {
    train::GraphModule module(small_resnet());
    const TemporaryFolder folder;
    train::TrainContext context;
    context.run_folder = folder.path();
    context.epochs = 4;
    train::train(module, data(), {}, training(), context);
    return module.to_graph();
  }();
  return graph;
}

Compression compression(std::vector<std::string> schemes = {"pattern", "block"},
                        std::vector<double> rates = {1, 4}) {
  CompressionConfig config;
  config.per = "layer";
  config.schemes = std::move(schemes);
  config.rates = std::move(rates);
  const prune::PruneConfig base;
  return {config, base, small_resnet(), "s.json"};
}

// Of the six layers: 0 dense, 1 pattern 4, 2 block 4.
const Point kFirst = {1, 1, 1, 2, 2, 2}, kSecond = {2, 2, 1, 2, 1, 1}, kDense(6, 0);

std::vector<float> weights_in(const ir::Graph& graph, const std::string& name) {
  const auto values = graph.constant(graph.find(name))->as<float>();
  return {values.begin(), values.end()};
}

bool same_weights(const ir::Graph& a, const ir::Graph& b) {
  return train::GraphModule(a).weights_hash() == train::GraphModule(b).weights_hash();
}

class BlockTrainingTest : public ::testing::Test {
 protected:
  BlockTrainingTest() {
    log::set_level(log::Level::off);
    teacher();
    how_.training = training();
    how_.epochs = 2;
    how_.folder = folder_.path();
  }
  ~BlockTrainingTest() override { log::set_level(log::Level::info); }

  BlockTrainingResult train(BlockLibrary& library, const std::vector<Point>& points) {
    return library.train(points, data(), how_);
  }

  TemporaryFolder folder_;
  BlockTraining how_;
};

TEST_F(BlockTrainingTest, BlocksComeNearToTheTeacher) {
  BlockLibrary shortly(teacher(), compression());
  how_.epochs = 1;
  const auto before = train(shortly, {kFirst, kSecond}).errors;
  BlockLibrary library(teacher(), compression());
  how_.epochs = 12;
  const auto after = train(library, {kFirst, kSecond}).errors;
  ASSERT_EQ(after.size(), 5u) << "the second block, of layers 2 and 3, is chosen alike";
  for (const auto& [block, error] : after) {
    EXPECT_LT(error, 0.6 * before.at(block)) << block.name();
    EXPECT_LT(error, 0.3) << block.name();
  }
}

// The mean over the elements of (is - should)^2 / var(should).
TEST_F(BlockTrainingTest, TheErrorIsTheSquareOverTheVarianceOfTheTeachersActivations) {
  how_.training.lr = 0;
  how_.training.batch_size = data().size();
  how_.epochs = 1;
  BlockLibrary library(teacher(), compression());
  const auto errors = train(library, {kFirst}).errors;
  const ir::Graph assembled = library.assembled(kFirst);
  std::vector<std::int64_t> all = train::other_positions(data().size(), {});
  train::Batch batch = train::BatchMaker(data(), {}, {}).plain(all);
  train::GraphModule original(teacher()), pruned(assembled);
  pruned.train(true);
  // One network in which the first block reads what the teacher's does.
  const std::string exit = library.blocks()[0].exit;
  const torch::Tensor images = train::images_of(batch);
  const torch::NoGradGuard no_grad;
  const torch::Tensor should = original.forward_values({images}, {exit}).at(exit);
  // The stem is the teacher's; its statistics must be, too.
  pruned.set_node_function(
      [&](const ir::Node& node,
          const std::vector<torch::Tensor>&) -> std::optional<std::vector<torch::Tensor>> {
        if (node.name != library.blocks()[0].entry) return std::nullopt;
        return {{original.forward_values({images}, {node.name}).at(node.name)}};
      });
  const torch::Tensor is = pruned.forward_values({images}, {exit}).at(exit);
  const double expected =
      ((is - should).square().mean() / should.var(/*unbiased=*/false)).item<double>();
  ASSERT_EQ(errors.begin()->first.name(), "0(1,1)");
  EXPECT_NEAR(errors.begin()->second, expected, 1e-5 * expected);
}

TEST_F(BlockTrainingTest, AnAssembledCandidateIsBetterThanAPrunedOne) {
  how_.epochs = 20;
  const Compression strong = compression({"pattern", "block"}, {1, 10});
  BlockLibrary library(teacher(), strong);
  train(library, {kFirst, kSecond});
  const train::Dataset fresh = test::lined_images(300, 2, 90);
  for (const Point& point : {kFirst, kSecond}) {
    prune::Params params;
    train::GraphModule pruned(teacher());
    for (const auto& [name, tensor] : pruned.parameters()) params[name] = tensor;
    prune::magnitude_masks(params, strong.planned(teacher(), point)).apply(params);
    train::GraphModule assembled(library.assembled(point));
    for (train::GraphModule* module : {&pruned, &assembled})
      train::measure_batch_norm(*module, data(), {}, 20, 6, Random(1));
    const double without = train::evaluate(pruned, fresh, {}).loss;
    EXPECT_LT(train::evaluate(assembled, fresh, {}).loss, 0.9 * without);
  }
}

TEST_F(BlockTrainingTest, PruningByMagnitudeKeepsExactlyWhatWasTrained) {
  const std::vector<std::pair<const char*, double>> ways = {
      {"pattern", 2.25}, {"pattern", 4}, {"block", 3}, {"punched", 4}, {"nm", 2}};
  for (const auto& [scheme, rate] : ways) {
    const TemporaryFolder folder;
    how_.folder = folder.path();
    how_.training.weight_decay = 0.01;  // it and momentum move weights that are pruned, too
    const Compression c = compression({scheme}, {1, rate});
    BlockLibrary library(teacher(), c);
    const Point point(c.parameters().size(), 1);
    train(library, {point});
    const ir::Graph graph = library.assembled(point);
    prune::Params params;
    for (const prune::PlannedLayer& layer : c.planned(graph, point))
      params[layer.weight] = train::to_tensor(*graph.constant(graph.find(layer.weight)));
    ASSERT_EQ(params.size(), 6u);
    const prune::MaskSet masks = prune::magnitude_masks(params, c.planned(graph, point));
    for (const auto& [name, mask] : masks.layers())
      EXPECT_TRUE(at::equal(mask.keep, params.at(name) != 0))
          << scheme << " " << rate << " " << name;
  }
}

TEST_F(BlockTrainingTest, ABlockDoesNotDependOnThoseBesideIt) {
  BlockLibrary both(teacher(), compression()), one(teacher(), compression());
  train(both, {kFirst, kSecond});
  const TemporaryFolder folder;
  how_.folder = folder.path();
  // Blocks of one candidate are tuned alone, those of both as far as they are not the same.
  train(one, {kFirst});
  EXPECT_TRUE(same_weights(both.assembled(kFirst), one.assembled(kFirst)));
  EXPECT_FALSE(same_weights(both.assembled(kFirst), both.assembled(kSecond)));
}

TEST_F(BlockTrainingTest, OtherCandidatesAreMadeOfTheSameBlocks) {
  BlockLibrary library(teacher(), compression());
  EXPECT_TRUE(library.covers(kDense));
  EXPECT_FALSE(library.covers(kFirst));
  train(library, {kFirst, kSecond});
  EXPECT_TRUE(library.covers({1, 1, 0, 0, 1, 1})) << "one block of each, the second dense";
  EXPECT_FALSE(library.covers({1, 2, 0, 0, 1, 1}));
  EXPECT_EQ(library.missing({kFirst, {1, 1, 0, 0, 1, 1}}).size(), 0u);
  EXPECT_TRUE(train(library, {kFirst}).errors.empty()) << "nothing is left to train";
  const auto missing = library.missing({{1, 2, 1, 2, 1, 1}});
  ASSERT_EQ(missing.size(), 1u);
  EXPECT_EQ(missing[0].name(), "0(1,2)");
}

TEST_F(BlockTrainingTest, WhatIsNotPrunedIsTheTeachers) {
  BlockLibrary library(teacher(), compression());
  train(library, {kFirst, kSecond});
  EXPECT_TRUE(same_weights(library.assembled(kDense), teacher()));
  const ir::Graph mixed = library.assembled({1, 1, 0, 0, 0, 0});
  for (const char* same : {"conv1.weight", "bn1.running_mean", "layer1.1.conv1.weight",
                           "layer2.0.bn2.running_var", "fc.weight"})
    EXPECT_EQ(weights_in(mixed, same), weights_in(teacher(), same)) << same;
  for (const char* own : {"layer1.0.conv1.weight", "layer1.0.bn1.weight",
                          "layer1.0.bn1.running_mean", "layer1.0.bn2.running_var"})
    EXPECT_NE(weights_in(mixed, own), weights_in(teacher(), own)) << own;
  EXPECT_THROW(library.assembled({1, 2, 0, 0, 0, 0}), InternalError);
}

TEST_F(BlockTrainingTest, AnInterruptedAndResumedTrainingEndsWithTheSameBits) {
  BlockLibrary whole(teacher(), compression());
  const BlockTrainingResult expected = train(whole, {kFirst, kSecond});
  const TemporaryFolder stopped;
  how_.folder = stopped.path();
  int steps = 0;
  how_.stop_requested = [&] { return ++steps == 8; };
  BlockLibrary killed(teacher(), compression());
  EXPECT_THROW(train(killed, {kFirst, kSecond}), Interrupted);
  EXPECT_FALSE(killed.covers(kFirst));
  how_.stop_requested = nullptr;
  how_.resume = true;
  for (int again = 0; again < 2; ++again) {  // the second time it is only loaded
    BlockLibrary resumed(teacher(), compression());
    const BlockTrainingResult result = train(resumed, {kFirst, kSecond});
    EXPECT_EQ(result.weights_hash, expected.weights_hash);
    EXPECT_EQ(result.errors, expected.errors);
    EXPECT_TRUE(same_weights(resumed.assembled(kFirst), whole.assembled(kFirst)));
  }
  how_.resume = false;
  how_.seed = 2;
  BlockLibrary other(teacher(), compression());
  EXPECT_NE(train(other, {kFirst, kSecond}).weights_hash, expected.weights_hash);
}

TEST_F(BlockTrainingTest, RefusesToGoOnWithOtherBlocksOrMasks) {
  BlockLibrary library(teacher(), compression());
  train(library, {kFirst});
  how_.resume = true;
  BlockLibrary sparser(teacher(), compression({"pattern", "block"}, {1, 6}));
  EXPECT_EQ(message_of([&] { train(sparser, {kFirst}); }),
            "blocks that were pruned in one way cannot be trained on in another; restore the "
            "compression that it was, or start again in another folder");
  const std::string file = (how_.folder / "checkpoints/blocks.safetensors").string();
  BlockLibrary others(teacher(), compression());
  EXPECT_EQ(message_of([&] { train(others, {kSecond}); }, file),
            "F: is a checkpoint of another model: it has no weights "
            "\"0(2,2)/layer1.0.conv1.weight\"");
  BlockLibrary untrained(small_resnet(), compression());
  EXPECT_NE(message_of([&] { train(untrained, {kFirst}); }, file).find("F: "), std::string::npos);
}

TEST_F(BlockTrainingTest, LayersMustDecideForThemselves) {
  CompressionConfig config;
  config.schemes = {"block"};
  config.rates = {1, 4};
  const prune::PruneConfig base;
  const Compression whole(config, base, small_resnet(), "s.json");
  EXPECT_THROW(BlockLibrary(teacher(), whole), InternalError);
}

TEST_F(BlockTrainingTest, TrainsOnCudaWhereThereIsOne) {
  if (!torch::cuda::is_available()) {
    EXPECT_EQ(message_of([] { BlockLibrary(teacher(), compression(), "cuda"); }),
              "the blocks' device: expected one of this machine, got \"cuda\"; LibTorch finds no "
              "CUDA device");
    return;
  }
  how_.epochs = 12;
  BlockLibrary library(teacher(), compression(), "cuda");
  for (const auto& [block, error] : train(library, {kFirst}).errors)
    EXPECT_LT(error, 0.3) << block.name();
}

}  // namespace
}  // namespace xgen::search
