// What candidates cost that are pruned in different ways, on one thread: each trained from scratch,
// each pruned from one trained network, each assembled from blocks of it that were trained once
// (search/block_training.h). Prints curves of accuracy and the CPU seconds of training as JSON.
//
//   composable_blocks IMAGES FOLDER CANDIDATES TEACHER_EPOCHS DENSE_EPOCHS BLOCK_EPOCHS
//                     FINE_TUNE_EPOCHS SEED
//
// A residual network for Fashion-MNIST, in the folder IMAGES, averaged to 7x7; 6,000 images to
// train on, 5,000 others that accuracy is measured on. A candidate draws for each residual block
// how its layers are pruned. FOLDER gets checkpoints.

#include <cstdio>
#include <ctime>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/ir/infer_shapes.h"
#include "core/log.h"
#include "prune/masks.h"
#include "search/block_training.h"
#include "search/spaces/resnet.h"
#include "train/data/load.h"
#include "train/stage.h"

namespace {

using namespace xgen;
using namespace xgen::search;
using nlohmann::json;

constexpr std::int64_t kTraining = 6000, kJudging = 5000;

train::NormalizeConfig normalize() { return {255, {0.5}, {0.25}}; }

// Each pixel the mean of 4x4, so that a CPU can train networks by the dozen.
train::Dataset averaged(const train::Dataset& data) {
  constexpr std::int64_t kSide = 4;
  train::ImageSet set;
  set.channels = 1;
  set.height = data.height() / kSide;
  set.width = data.width() / kSide;
  set.class_names = data.class_names();
  for (std::int64_t i = 0; i < data.size(); ++i) {
    const auto pixels = data.pixels(i);
    for (std::int64_t row = 0; row < set.height; ++row) {
      for (std::int64_t column = 0; column < set.width; ++column) {
        int sum = 0;
        for (std::int64_t k = 0; k < kSide * kSide; ++k)
          sum += pixels[static_cast<std::size_t>((kSide * row + k / kSide) * data.width() +
                                                 kSide * column + k % kSide)];
        set.pixels.push_back(static_cast<std::uint8_t>(sum / (kSide * kSide)));
      }
    }
    set.labels.push_back(data.label(i));
  }
  return train::Dataset(std::move(set));
}

ir::Graph network(std::uint64_t seed) {
  ResnetSpace space;
  space.image_channels = 1;
  space.image_size = 7;
  space.stem.channels = 16;
  space.stages = {{{16}, {2}, 1}, {{32}, {2}, 2}};
  return ir::bind_dims(ir::infer_shapes(space.network({0, 0, 0, 0}, Random(seed))), {{"N", 1}});
}

Compression compression_of(const ir::Graph& graph) {
  CompressionConfig config;
  config.per = "layer";
  config.schemes = {"pattern"};
  config.rates = {1, 4, 8};
  const prune::PruneConfig base;
  return {config, base, graph, "composable_blocks"};
}

// Candidates that choose alike for all layers of a residual block.
std::vector<Point> candidates_of(const BlockLibrary& library, const Compression& compression,
                                 std::size_t count, const Random& random) {
  const std::vector<Parameter>& parameters = compression.parameters();
  RandomStream stream = random.stream("candidates");
  std::set<Point> seen;
  std::vector<Point> points;
  while (points.size() < count) {
    Point point(parameters.size(), 0);
    for (const NetworkBlock& block : library.blocks()) {
      const auto choice = static_cast<int>(stream.integer(0, 2));
      for (std::size_t i = 0; i < parameters.size(); ++i) {
        for (const std::string& layer : block.layers) {
          if (parameters[i].name == layer)
            point[i] = std::min(choice, static_cast<int>(parameters[i].choices.size()) - 1);
        }
      }
    }
    const bool pruned = point != Point(parameters.size(), 0);
    if (pruned && seen.insert(point).second) points.push_back(point);
  }
  return points;
}

double cpu_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

// Keeps zeros, and counts the time of training without that of judging.
class BenchHook final : public train::TrainingHook {
 public:
  explicit BenchHook(prune::MaskSet masks) : masks_(std::move(masks)) {}
  std::string name() const override { return "bench"; }
  void begin(train::GraphModule& module) override {
    for (const auto& [name, tensor] : module.parameters()) params_[name] = tensor;
    masks_.apply(params_);
  }
  void before_epoch(train::GraphModule& /*module*/, std::int64_t /*epoch*/) override {
    began_ = cpu_seconds();
  }
  void after_step(train::GraphModule& /*module*/, std::int64_t /*step*/) override {
    masks_.apply(params_);
  }
  void after_epoch(train::GraphModule& /*module*/, std::int64_t /*epoch*/) override {
    seconds_ += cpu_seconds() - began_;
  }
  double seconds() const { return seconds_; }

 private:
  prune::MaskSet masks_;
  prune::Params params_;
  double began_ = 0, seconds_ = 0;
};

struct Bench {
  std::filesystem::path folder;
  train::Dataset training, judging;
  std::int64_t teacher_epochs = 0, dense_epochs = 0, block_epochs = 0, fine_tune_epochs = 0;
  std::uint64_t seed = 1;

  train::TrainingConfig dense_config() const {
    train::TrainingConfig config;
    config.batch_size = 64;
    config.lr = 0.05;
    config.warm_up_steps = 30;
    config.clip_norm = 5;
    return config;
  }
  train::TrainingConfig fine_tune_config() const {
    train::TrainingConfig config = dense_config();
    config.lr = 0.005;
    // So that a curve tells what fewer epochs give: no schedule that only pays in the end.
    config.schedule = "constant";
    config.ema_decay = 0.98;
    config.warm_up_steps = 0;
    return config;
  }

  // Judged after each epoch where `judge` says so, else in the end.
  json train(train::GraphModule& module, const std::string& stage, std::int64_t epochs,
             const train::TrainingConfig& config, const prune::MaskSet& masks, bool judge) const {
    BenchHook hook(masks);
    train::TrainContext context;
    context.run_folder = folder;
    context.stage = stage;
    context.epochs = epochs;
    context.seed = seed;
    context.normalize = normalize();
    context.hooks = {&hook};
    const train::Dataset none;
    json curve = json::array();
    for (const train::EpochRecord& r :
         train::train(module, training, judge ? judging : none, config, context).history)
      curve.push_back(100 * r.validation.top1);
    if (!judge) curve = {100 * train::evaluate(module, judging, normalize()).top1};
    return {{"curve", curve}, {"seconds", hook.seconds()}};
  }

  json dense(ir::Graph& graph, const std::string& stage, std::int64_t epochs) const {
    train::GraphModule module(graph);
    json row = train(module, stage, epochs, dense_config(), {}, false);
    graph = module.to_graph();
    return row;
  }

  // Prunes at once by magnitude, as a run does, and trains on.
  json pruned(const ir::Graph& graph, const Compression& compression, const Point& point,
              const std::string& stage) const {
    train::GraphModule module(graph);
    prune::Params params;
    for (const auto& [name, tensor] : module.parameters()) params[name] = tensor;
    const prune::MaskSet masks = prune::magnitude_masks(params, compression.planned(graph, point));
    masks.apply(params);
    train::measure_batch_norm(module, training, normalize(), 64, 8, Random(seed));
    const double before = 100 * train::evaluate(module, judging, normalize()).top1;
    json row = train(module, stage, fine_tune_epochs, fine_tune_config(), masks, true);
    row["before"] = before;
    return row;
  }

  json run(const std::string& images, std::size_t count) {
    train::DataConfig config;
    config.format = "idx";
    config.path = images;
    config.train = "train";
    config.test = "t10k";
    config.validation_share = 0;
    const train::Dataset all = averaged(train::load_data(config, ".", 1).train);
    const Random random(seed);
    const auto judged = train::stratified_positions(all, kJudging, random.stream("judging"));
    judging = all.subset(judged);
    const train::Dataset rest = all.subset(train::other_positions(all.size(), judged));
    training = rest.subset(train::stratified_positions(rest, kTraining, random.stream("training")));

    json result;
    ir::Graph teacher = network(seed);
    result["teacher"] = dense(teacher, "teacher", teacher_epochs);
    const Compression compression = compression_of(teacher);
    BlockLibrary library(teacher, compression);
    const std::vector<Point> points = candidates_of(library, compression, count, random);

    BlockTraining how;
    how.training = dense_config();
    how.training.clip_norm = 0;
    how.training.lr = 0.2;
    how.epochs = block_epochs;
    how.seed = seed;
    how.normalize = normalize();
    how.folder = folder / "blocks";
    const double began = cpu_seconds();
    const BlockTrainingResult blocks = library.train(points, training, how);
    result["blocks"] = {{"seconds", cpu_seconds() - began}, {"errors", json::object()}};
    for (const auto& [block, error] : blocks.errors)
      result["blocks"]["errors"][block.name()] = error;
    result["blocks_of_network"] = library.blocks().size();

    for (std::size_t i = 0; i < points.size(); ++i) {
      const std::string name = str("candidate", i);
      std::string choices;
      for (const BlockChoices& block :
           sequence_of(library.blocks(), compression.parameters(), points[i]))
        choices +=
            str(choices.empty() ? "" : ", ",
                block.empty()
                    ? "dense"
                    : compression.parameters()[0].choices[static_cast<std::size_t>(block[0])]);
      ir::Graph own = network(seed + 1000 + i);
      json row = {{"choices", choices}};
      row["scratch_dense"] = dense(own, name + ".dense", dense_epochs);
      row["scratch"] = pruned(own, compression, points[i], name + ".scratch");
      row["pruned"] = pruned(teacher, compression, points[i], name + ".pruned");
      row["assembled"] =
          pruned(library.assembled(points[i]), compression, points[i], name + ".assembled");
      std::fprintf(stderr, "%s\n", row.dump().c_str());
      result["candidates"].push_back(std::move(row));
    }
    return result;
  }
};

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> args(argv + 1, argv + argc);
  if (args.size() != 8) {
    std::fprintf(stderr,
                 "usage: composable_blocks IMAGES FOLDER CANDIDATES TEACHER_EPOCHS DENSE_EPOCHS "
                 "BLOCK_EPOCHS FINE_TUNE_EPOCHS SEED\n");
    return 2;
  }
  try {
    log::set_level(log::Level::warning);
    Bench bench;
    bench.folder = args[1];
    bench.teacher_epochs = std::stoll(args[3]);
    bench.dense_epochs = std::stoll(args[4]);
    bench.block_epochs = std::stoll(args[5]);
    bench.fine_tune_epochs = std::stoll(args[6]);
    bench.seed = std::stoull(args[7]);
    std::printf("%s\n", bench.run(args[0], std::stoul(args[2])).dump(1).c_str());
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "composable_blocks: %s\n", error.what());
    return 2;
  }
}
