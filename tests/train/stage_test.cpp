#include "train/stage.h"

#include <gmock/gmock.h>
#include <torch/cuda.h>

#include <limits>
#include <nlohmann/json.hpp>

#include "core/interrupt.h"
#include "core/log.h"
#include "tests/support/message.h"
#include "tests/support/temporary_folder.h"
#include "train/checkpoint.h"
#include "train/data/load.h"
#include "train/zoo/net_builder.h"
#include "train/zoo/zoo.h"

namespace xgen::train {
namespace {

using test::contents;
using test::message_of;
using test::TemporaryFolder;

using ::testing::HasSubstr;

/// Noisy images of 6x6, dark ones and bright ones.
Dataset shades(std::int64_t n, std::uint64_t seed) {
  ImageSet set;
  set.channels = 1;
  set.height = set.width = 6;
  set.class_names = {"dark", "bright"};
  RandomStream random = Random(seed).stream("shades");
  for (std::int64_t i = 0; i < n; ++i) {
    const auto label = static_cast<std::int32_t>(i % 2);
    for (int pixel = 0; pixel < 36; ++pixel) {
      set.pixels.push_back(static_cast<std::uint8_t>(random.integer(0, 120) + 80 * label));
    }
    set.labels.push_back(label);
  }
  return Dataset(std::move(set));
}

/// Has everything whose state could be forgotten: BatchNorm, dropout, weights and biases.
ir::Graph small_net(std::uint64_t seed = 1) {
  return NetBuilder("small", 1, 6, 6, Random(seed))
      .conv_bn_relu("1", 4, {})
      .conv_bn_relu("2", 8, {.stride = 2})
      .dropout("drop", 0.2F)
      .average_pool_to_features("pool")
      .finish(2);
}

struct Killed {};

/// Pulls a weight towards a target that it moves itself, as ADMM does, and "kills" after a step.
class StatefulHook : public TrainingHook {
 public:
  explicit StatefulHook(std::int64_t kill_after = -1) : kill_after_(kill_after) {}
  std::string name() const override { return "pull"; }
  void begin(GraphModule& module) override {
    target_ = torch::zeros_like(module.tensor("conv2.weight"));
  }
  void before_epoch(GraphModule& module, std::int64_t epoch) override {
    target_ =
        target_ + 0.1 * static_cast<double>(epoch + 1) * module.tensor("conv2.weight").detach();
  }
  Tensor extra_loss(GraphModule& module) override {
    return 0.01 * (module.tensor("conv2.weight") - target_).square().sum();
  }
  void after_step(GraphModule& /*module*/, std::int64_t step) override {
    if (step == kill_after_) throw Killed();
  }
  NamedTensors state() const override { return {{"target", target_}}; }
  void load_state(const NamedTensors& state) override { target_ = state.at(0).second; }

 private:
  Tensor target_;
  std::int64_t kill_after_;
};

class StageTest : public ::testing::Test {
 protected:
  StageTest() {
    config_.batch_size = 10;
    config_.lr = 0.05;
    config_.checkpoint_every_seconds = 0;
    config_.checkpoint_every_steps = 3;
    context_.stage = "dense";
    context_.epochs = 3;
    context_.augment.flip = false;
    context_.augment.random_crop_padding = 1;
    context_.augment.mixup = 0.2;
    log_level_off();
  }
  ~StageTest() override { log::set_level(log::Level::info); }
  static void log_level_off() { log::set_level(log::Level::off); }

  TrainResult run(const TemporaryFolder& folder, bool resume, std::int64_t kill_after = -1,
                  std::uint64_t weights = 1) {
    StatefulHook hook(kill_after);
    GraphModule module(small_net(weights), device_);
    context_.run_folder = folder.path();
    context_.resume = resume;
    context_.hooks = {&hook};
    return train(module, train_, validation_, config_, context_);
  }

  torch::Device device_ = torch::kCPU;
  Dataset train_ = shades(64, 1);  // 6 full batches an epoch
  Dataset validation_ = shades(30, 2);
  TrainingConfig config_;
  TrainContext context_;
};

TEST_F(StageTest, LearnsAndRecordsEachEpoch) {
  const TemporaryFolder folder;
  const TrainResult result = run(folder, false);
  EXPECT_EQ(result.steps, 18);
  ASSERT_EQ(result.history.size(), 3U);
  EXPECT_LT(result.history[2].train_loss, result.history[0].train_loss);
  EXPECT_EQ(result.history[2].validation.samples, 30);
  EXPECT_GT(result.history[2].validation.top1, 0.9);
  EXPECT_EQ(result.history[2].validation.top5, 1);
  std::istringstream log(contents(folder / "log.jsonl"));
  std::string line;
  int lines = 0;
  while (std::getline(log, line)) {
    const auto json = nlohmann::json::parse(line);
    EXPECT_EQ(json.at("epoch"), ++lines);
    EXPECT_EQ(json.at("stage"), "dense");
  }
  EXPECT_EQ(lines, 3);
}

TEST_F(StageTest, SeedDecidesTheWeightsBitForBit) {
  const TemporaryFolder a, b, c;
  const std::string first = run(a, false).weights_hash;
  EXPECT_EQ(run(b, false).weights_hash, first);
  context_.seed = 2;
  EXPECT_NE(run(c, false).weights_hash, first);
}

TEST_F(StageTest, GoesOnWithACheckpointThatIsOlderThanAKeyOfTheConfig) {
  const TemporaryFolder whole, killed;
  const std::string expected = run(whole, false).weights_hash;
  EXPECT_THROW(run(killed, false, 8), Killed);
  Checkpoint checkpoint = load_checkpoint(checkpoint_path(context_));
  checkpoint.meta["identity"]["config"].erase("precision");
  save_checkpoint(checkpoint_path(context_), checkpoint);
  config_.precision = "bf16";
  EXPECT_THAT(message_of([&] { run(killed, true); }),
              HasSubstr("\"precision\" was \"fp32\", is \"bf16\""));
  config_.precision = "fp32";
  EXPECT_EQ(run(killed, true).weights_hash, expected);
}

TEST_F(StageTest, TrainsInBfloat16WithWeightsOfFp32) {
  const TemporaryFolder fp32, whole, killed;
  const std::string other = run(fp32, false).weights_hash;
  config_.precision = "bf16";
  const TrainResult expected = run(whole, false);
  EXPECT_NE(expected.weights_hash, other);
  EXPECT_GT(expected.history.back().validation.top1, 0.9);
  for (const auto& [name, weight] : load_checkpoint(checkpoint_path(context_)).weights)
    EXPECT_EQ(weight.scalar_type(), torch::kFloat) << name;
  EXPECT_THROW(run(killed, false, 8), Killed);
  EXPECT_EQ(run(killed, true).weights_hash, expected.weights_hash);
}

TEST_F(StageTest, OnCudaAKilledAndResumedRunEndsWithTheSameBits) {
  if (!torch::cuda::is_available()) GTEST_SKIP() << "LibTorch finds no CUDA device";
  device_ = torch::kCUDA;
  const TemporaryFolder whole, killed;
  const TrainResult expected = run(whole, false);
  EXPECT_GT(expected.history.back().validation.top1, 0.9);
  EXPECT_THROW(run(killed, false, 8), Killed);
  EXPECT_EQ(run(killed, true).weights_hash, expected.weights_hash);
}

TEST_F(StageTest, AKilledAndResumedRunEndsWithTheSameBits) {
  for (const bool with_ema : {false, true}) {
    for (const char* optimizer : {"sgd", "adamw"}) {
      config_.optimizer = optimizer;
      config_.ema_decay = with_ema ? 0.9 : 0;
      config_.clip_norm = 1;
      config_.warm_up_steps = 4;
      const TemporaryFolder whole;
      const TrainResult expected = run(whole, false);
      RandomStream random = Random(5).stream("kills", optimizer, with_ema);
      for (int round = 0; round < 3; ++round) {
        const TemporaryFolder folder;
        bool resume = false;
        for (std::int64_t kill = 0; (kill = random.integer(kill, 24)) < 18; ++kill) {
          EXPECT_THROW(run(folder, resume, kill), Killed);
          resume = true;
        }
        // Other initial weights: a resume takes all of them from the checkpoint, if there is one.
        const bool saved = std::filesystem::exists(checkpoint_path(context_)) && resume;
        const TrainResult result = run(folder, resume, -1, saved ? 99 : 1);
        EXPECT_EQ(result.weights_hash, expected.weights_hash) << optimizer << with_ema << round;
        ASSERT_EQ(result.history.size(), 3U);
        EXPECT_EQ(result.history[1].train_loss, expected.history[1].train_loss);
        EXPECT_EQ(result.history[2].validation.loss, expected.history[2].validation.loss);
      }
    }
  }
}

TEST_F(StageTest, HooksChangeGradientsBeforeTheyAreFollowed) {
  struct Undo : TrainingHook {
    std::string name() const override { return "undo"; }
    void after_backward(GraphModule& module, const DifferentiatedStep& step) override {
      EXPECT_EQ(step.number, steps++);
      EXPECT_EQ(step.images.size(0), step.targets.labels.size(0));
      EXPECT_EQ(step.logits.sizes(), (std::vector<std::int64_t>{step.images.size(0), 2}));
      EXPECT_FALSE(step.logits.requires_grad());
      for (const auto& [name, tensor] : module.parameters()) tensor.mutable_grad().zero_();
    }
    std::int64_t steps = 0;
  };
  const TemporaryFolder folder;
  Undo hook;
  context_.run_folder = folder.path();
  context_.hooks = {&hook};
  config_.weight_decay = 0;
  GraphModule module(small_net());
  train(module, train_, {}, config_, context_);
  EXPECT_EQ(hook.steps, 18);
  const GraphModule fresh(small_net());
  for (const auto& [name, tensor] : module.parameters())
    EXPECT_TRUE(torch::equal(tensor, fresh.tensor(name))) << name;
}

TEST_F(StageTest, AnInterruptedRunSavesFirst) {
  const TemporaryFolder whole, folder;
  config_.checkpoint_every_steps = 0;
  const std::string expected = run(whole, false).weights_hash;
  int steps = 0;
  context_.stop_requested = [&] { return ++steps == 8; };
  try {
    run(folder, false);
    FAIL();
  } catch (const Interrupted& error) {
    EXPECT_EQ(error.what(),
              str("stage \"dense\" was interrupted after step 8 of 18; its state is in ",
                  (folder / "checkpoints/dense.safetensors").string()));
  }
  context_.stop_requested = nullptr;
  EXPECT_EQ(load_checkpoint(checkpoint_path(context_)).meta.at("step"), 8);
  EXPECT_EQ(run(folder, true).weights_hash, expected);
}

TEST_F(StageTest, AFinishedStageIsOnlyLoaded) {
  const TemporaryFolder folder;
  const TrainResult first = run(folder, false);
  const TrainResult again = run(folder, true, 0);  // would be killed by its first step
  EXPECT_EQ(again.weights_hash, first.weights_hash);
  EXPECT_EQ(again.history.size(), 3U);
  EXPECT_EQ(again.images_per_second, 0);
}

TEST_F(StageTest, RefusesToResumeAnythingElse) {
  const TemporaryFolder folder;
  run(folder, false);
  const auto path = checkpoint_path(context_);
  const auto message = [&] { return message_of([&] { run(folder, true); }, path); };
  config_.lr = 0.1;
  EXPECT_EQ(message(),
            "F: cannot be resumed: \"lr\" was 0.05, is 0.1; restore what it was, or start again "
            "without --resume");
  config_.lr = 0.05;
  config_.checkpoint_every_steps = 5;
  EXPECT_EQ(message(), "");
  train_ = shades(64, 3);
  EXPECT_EQ(message(),
            "F: cannot be resumed: the training data are others; restore what it was, or start "
            "again without --resume");
  train_ = shades(64, 1);

  ir::Graph dilated = small_net(1);
  for (ir::Node& node : dilated.mutable_nodes()) {
    if (auto* conv = std::get_if<ir::Conv>(&node.op)) {
      conv->dilations = {2, 2};
      conv->pads = {2, 2, 2, 2};
    }
  }
  GraphModule alike(dilated);
  StatefulHook hook(-1);
  context_.hooks = {&hook};
  EXPECT_EQ(message_of([&] { train(alike, train_, validation_, config_, context_); }, path),
            "F: cannot be resumed: it is a checkpoint of another model; restore what it was, or "
            "start again without --resume");

  GraphModule other(make_zoo_model("digits_cnn", 2, 1));
  context_.hooks.clear();
  EXPECT_EQ(message_of([&] { train(other, train_, validation_, config_, context_); }, path),
            "F: is a checkpoint of another model: \"conv1.weight\" has the shape [4, 1, 3, 3], "
            "expected [16, 1, 3, 3]");

  std::string bytes = contents(path);
  bytes.back() = static_cast<char>(bytes.back() ^ 4);  // of a tensor; before them is a header
  folder.put("checkpoints/dense.safetensors", bytes);
  EXPECT_EQ(message(), "F: is damaged: its contents do not have the SHA-256 that it states");
  folder.put("checkpoints/dense.safetensors", bytes.substr(0, bytes.size() - 100));
  EXPECT_THAT(message(), HasSubstr("F: is truncated: expected "));
}

TEST_F(StageTest, NotesAResumeWithAnotherNumberOfThreads) {
  const TemporaryFolder folder;
  EXPECT_THROW(run(folder, false, 10), Killed);
  context_.threads = 2;
  const TrainResult result = run(folder, true);
  context_.threads = 1;
  ASSERT_EQ(result.notes.size(), 1U);
  EXPECT_EQ(result.notes[0],
            "resumed where threads is 2, was 1: the weights may differ in the last bits");
}

TEST_F(StageTest, StopsAtNaNAndKeepsTheLastGoodState) {
  class Poison : public TrainingHook {
   public:
    std::string name() const override { return "poison"; }
    void after_step(GraphModule& module, std::int64_t step) override {
      const torch::NoGradGuard no_grad;
      if (step == 7) module.tensor("bn2.bias").fill_(std::numeric_limits<float>::quiet_NaN());
    }
  } poison;
  const TemporaryFolder folder;
  context_.run_folder = folder.path();
  context_.hooks = {&poison};
  GraphModule module(small_net());
  const std::string path = checkpoint_path(context_);
  const auto message = [&] {
    return message_of([&] { train(module, train_, validation_, config_, context_); }, path);
  };
  EXPECT_EQ(message(),
            "stage \"dense\": the loss became nan, first in node \"bn2\" (BatchNormalization), at "
            "step 9 (epoch 2); the last good state, after step 6, is in F; a smaller \"lr\" or a "
            "\"clip_norm\" may help");
  EXPECT_EQ(load_checkpoint(path).meta.at("step"), 6);
  // Also where a checkpoint is due before the loss tells.
  config_.checkpoint_every_steps = 1;
  GraphModule again(small_net());
  EXPECT_THAT(message_of([&] { train(again, train_, validation_, config_, context_); }, path),
              HasSubstr("the weights \"bn2.bias\" became infinite or not a number"));
  EXPECT_EQ(load_checkpoint(path).meta.at("step"), 7);
}

TEST_F(StageTest, ATeacherPullsTheStudentTowardsItself) {
  const TemporaryFolder a, b;
  GraphModule teacher(small_net(5));
  {
    const torch::NoGradGuard no_grad;
    teacher.tensor("fc.weight").mul_(10);  // so that it says something else than the labels
  }
  context_.augment = {};
  const auto distance = [&](GraphModule* from, const TemporaryFolder& folder) {
    GraphModule module(small_net(1));
    context_.run_folder = folder.path();
    context_.teacher = from;
    config_.distill_weight = 1;
    train(module, train_, validation_, config_, context_);
    context_.teacher = nullptr;
    const torch::NoGradGuard no_grad;
    const BatchMaker maker(validation_, {}, {});
    Batch batch = maker.plain({0, 1, 2, 3, 4, 5, 6, 7});
    const Tensor x = images_of(batch);
    return (at::log_softmax(module.forward(x), 1) - at::log_softmax(teacher.forward(x), 1))
        .square()
        .mean()
        .item<float>();
  };
  EXPECT_LT(distance(&teacher, a), 0.5F * distance(nullptr, b));
}

TEST_F(StageTest, LeavesTheWeightsOfTheMovingAverage) {
  const TemporaryFolder folder;
  config_.ema_decay = 0.999999;  // stays at the first weights
  GraphModule module(small_net());
  const Tensor before = module.tensor("conv1.weight").detach().clone();
  context_.run_folder = folder.path();
  train(module, train_, validation_, config_, context_);
  EXPECT_LT((module.tensor("conv1.weight") - before).abs().max().item<float>(), 1e-4F);
}

TEST(MeasureBatchNorm, TakesTheMeanOverAllBatches) {
  GraphModule module(small_net());
  const Dataset data = shades(40, 1);
  measure_batch_norm(module, data, {}, 10, 4, Random(1));
  // conv1's channel means over all images, which batches of equal size average to.
  std::vector<std::int64_t> all(40);
  for (std::size_t i = 0; i < 40; ++i) all[i] = static_cast<std::int64_t>(i);
  Batch batch = BatchMaker(data, {}, {}).plain(all);
  const torch::NoGradGuard no_grad;
  const Tensor y = module.forward_values({images_of(batch)}, {"conv1"}).at("conv1");
  EXPECT_LT((y.mean(at::IntArrayRef({0, 2, 3})) - module.tensor("bn1.running_mean"))
                .abs()
                .max()
                .item<float>(),
            1e-5F);
  EXPECT_FALSE(module.is_training());
}

TEST(Evaluate, CountsTopOneAndTopFiveWithTiesAgainstTheNetwork) {
  // A network that returns its input: six pixels are six logits.
  ir::Graph graph;
  const auto x = graph.add_input("x", {ir::DType::f32, {}, {}});
  graph.set_outputs({graph.add_node("flatten", ir::Flatten{1}, {x})});
  GraphModule module(graph);
  ImageSet set;
  set.channels = set.height = 1;
  set.width = 6;
  set.class_names = {"0", "1", "2", "3", "4", "5"};
  set.pixels = {9, 1, 2, 3, 4, 5,  //
                9, 9, 0, 0, 0, 0,  //
                1, 2, 3, 4, 5, 6};
  set.labels = {0, 1, 0};
  const Metrics metrics = evaluate(module, Dataset(set), {}, 2);
  EXPECT_EQ(metrics.samples, 3);
  EXPECT_DOUBLE_EQ(metrics.top1, 1.0 / 3);
  EXPECT_DOUBLE_EQ(metrics.top5, 2.0 / 3);
}

}  // namespace
}  // namespace xgen::train
