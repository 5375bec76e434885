// What cheap judgements of a candidate are worth: how well they order networks by their accuracy
// after a whole training. Prints rank correlations as JSON; those of parameters and multiply-adds,
// which cost nothing, stand beside them.
//
//   ladder_macro proxies BENCHMARK IMAGES CANDIDATES SEED
//   ladder_macro supernet BENCHMARK IMAGES CANDIDATES SEED FOLDER SAMPLES EPOCHS DEVICE
//       networks of NAS-Bench-Macro (arXiv:2103.11922), whose accuracies are known. BENCHMARK is
//       nas-bench-macro_cifar10.json, IMAGES is cifar10-jpeg.tar.gz; a supernet wants a GPU
//   ladder_macro small IMAGES CANDIDATES SEED FOLDER SAMPLES EPOCHS DEVICE EPOCHS_ALONE
//       networks of a small space, each of which is trained here, on Fashion-MNIST averaged to 7x7;
//       IMAGES is its folder. What a second training with another seed finds stands beside the
//       rest: how much of the order is chance
//
// A supernet is trained in FOLDER, on SAMPLES images in each of EPOCHS, or gone on with there, and
// judges candidates on 10,000 other images.

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "core/config_file.h"
#include "core/error.h"
#include "core/ir/infer_shapes.h"
#include "core/ir/node_size.h"
#include "search/proxies.h"
#include "search/rank_correlation.h"
#include "search/spaces/macro.h"
#include "search/supernet.h"
#include "train/data/load.h"
#include "train/evaluate.h"
#include "train/stage.h"

namespace {

using namespace xgen;
using namespace xgen::search;
using nlohmann::json;

constexpr std::int64_t kBatch = 64;      // images that a proxy sees
constexpr std::int64_t kJudged = 10000;  // images that a supernet's candidates are judged on

train::NormalizeConfig normalize() { return {255, {0.5}, {0.25}}; }

train::Dataset training_images(const std::string& format, const std::string& path,
                               const std::string& test) {
  train::DataConfig config;
  config.format = format;
  config.path = path;
  config.train = "train";
  config.test = test;
  config.validation_share = 0;
  return train::load_data(config, ".", 1).train;
}

train::Dataset drawn(const train::Dataset& data, std::int64_t count, const Random& random) {
  return data.subset(train::stratified_positions(data, count, random.stream("images", count)));
}

// Each pixel the mean of 4x4, so that a CPU can train networks by the dozen.
train::Dataset averaged(const train::Dataset& data) {
  train::ImageSet set;
  set.channels = 1;
  set.height = data.height() / 4;
  set.width = data.width() / 4;
  set.class_names = data.class_names();
  for (std::int64_t i = 0; i < data.size(); ++i) {
    const auto pixels = data.pixels(i);
    for (std::int64_t at = 0; at < set.image_size(); ++at) {
      int sum = 0;
      for (std::int64_t k = 0; k < 16; ++k) {
        const std::int64_t row = 4 * (at / set.width) + k / 4;
        sum += pixels[static_cast<std::size_t>(row * data.width() + 4 * (at % set.width) + k % 4)];
      }
      set.pixels.push_back(static_cast<std::uint8_t>(sum / 16));
    }
    set.labels.push_back(data.label(i));
  }
  return train::Dataset(std::move(set));
}

// 81 networks for those images.
MacroSpace small_space() {
  MacroSpace space;
  space.image_channels = 1;
  space.image_size = 7;
  space.stem_channels = 8;
  space.head_channels = 64;
  space.stages = {{8, 2, 1}, {16, 2, 2}};
  space.blocks = {"identity", "mb1_k3", "mb3_k5"};
  return space;
}

// Candidates, and what is known of them.
struct Known {
  MacroSpace macro;
  std::vector<Point> points;
  std::vector<double> accuracy, parameters, macs;
};

Known candidates_of(const MacroSpace& macro, std::size_t count, const Random& random) {
  Known known{macro, {}, {}, {}, {}};
  const Space space = macro.space();
  RandomStream stream = random.stream("candidates");
  std::set<Point> seen;
  while (known.points.size() < count) {
    const Point point = space.sample(stream);
    if (!seen.insert(point).second) continue;
    known.points.push_back(point);
    const ir::NodeSize size =
        ir::size_of_graph(ir::infer_shapes(macro.network(point, std::nullopt)));
    known.parameters.push_back(static_cast<double>(size.parameters));
    known.macs.push_back(static_cast<double>(size.macs));
  }
  return known;
}

void look_up_accuracies(Known& known, const std::string& benchmark) {
  const json table = load_config_json(benchmark);
  for (const Point& point : known.points) {
    std::string name;
    for (const int choice : point) name += std::to_string(choice);
    known.accuracy.push_back(table.at(name).at("mean_acc"));
  }
}

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

json correlation(const std::vector<double>& scores, const Known& known) {
  return {{"spearman", spearman_rho(scores, known.accuracy)},
          {"kendall", kendall_tau_b(scores, known.accuracy)}};
}

json judged(const Known& known, const std::string& name,
            const std::function<double(const Point&)>& judge) {
  std::vector<double> scores;
  const auto start = std::chrono::steady_clock::now();
  for (std::size_t i = 0; i < known.points.size(); ++i) {
    scores.push_back(judge(known.points[i]));
    std::fprintf(stderr, "%s %zu: %g, accuracy %.2f %%\n", name.c_str(), i, scores.back(),
                 known.accuracy[i]);
  }
  json row = correlation(scores, known);
  row["seconds_each"] = seconds_since(start) / static_cast<double>(scores.size());
  return row;
}

void judge_by_proxies(json& rows, const Known& known, const train::Dataset& data,
                      const Random& random) {
  const train::Dataset few = drawn(data, kBatch, random);
  const train::Batch batch =
      train::BatchMaker(few, normalize(), {}).plain(train::other_positions(few.size(), {}));
  for (const std::string& name : proxy_names())
    rows[name] = judged(known, name, [&](const Point& point) {
      return find_proxy(name, "proxy")(known.macro.network(point, random), batch);
    });
}

// How and on what networks are trained, and what they are judged on.
struct Recipe {
  SupernetTraining how;
  std::string device;
  train::Dataset training, judging;
};

Recipe recipe_of(const train::Dataset& data, const Random& random, const std::string& folder,
                 std::int64_t samples, std::int64_t epochs, const std::string& device) {
  Recipe recipe;
  recipe.how.training.batch_size = 64;
  recipe.how.training.lr = 0.05;
  recipe.how.training.warm_up_steps = 30;
  recipe.how.training.clip_norm = 5;
  recipe.how.epochs = epochs;
  recipe.how.threads = 1;
  recipe.how.normalize = normalize();
  recipe.how.folder = folder;
  recipe.how.resume = true;
  recipe.device = device;
  const std::vector<std::int64_t> judging =
      train::stratified_positions(data, kJudged, random.stream("judging"));
  recipe.judging = data.subset(judging);
  recipe.training =
      drawn(data.subset(train::other_positions(data.size(), judging)), samples, random);
  return recipe;
}

void judge_by_supernet(json& rows, const Known& known, const Recipe& recipe, const Random& random) {
  Supernet net(known.macro, random.seed(), recipe.device);
  const auto start = std::chrono::steady_clock::now();
  net.train(recipe.training, recipe.how);
  const double seconds = seconds_since(start);
  const Calibration calibration{recipe.training, normalize(), 100, 5};
  rows["supernet"] = judged(known, "supernet", [&](const Point& point) {
    return net.accuracy(point, calibration, recipe.judging);
  });
  rows["supernet"]["training_seconds"] = seconds;
}

// The accuracy of each candidate that is trained by itself, in percent.
std::vector<double> train_alone(const Known& known, const Recipe& recipe, const Random& random,
                                std::int64_t epochs) {
  std::vector<double> accuracy;
  for (std::size_t i = 0; i < known.points.size(); ++i) {
    train::GraphModule module(known.macro.network(known.points[i], random),
                              torch::Device(recipe.device));
    train::TrainContext context;
    context.run_folder = recipe.how.folder / "alone" / str(random.seed()) / std::to_string(i);
    context.epochs = epochs;
    context.seed = random.seed();
    context.threads = recipe.how.threads;
    context.normalize = normalize();
    context.resume = true;
    train::train(module, recipe.training, {}, recipe.how.training, context);
    accuracy.push_back(100 * train::evaluate(module, recipe.judging, normalize()).top1);
  }
  return accuracy;
}

json run(const std::vector<std::string>& args) {
  const bool small = args[0] == "small";
  const std::size_t at = small ? 1 : 2;  // where the images stand
  const Random random(std::stoull(args[at + 2]));
  Known known =
      candidates_of(small ? small_space() : nas_bench_macro(), std::stoul(args[at + 1]), random);
  const train::Dataset data = small ? averaged(training_images("idx", args[at], "t10k"))
                                    : training_images("image_tar", args[at], "test");
  json result = {{"candidates", known.points.size()}, {"seed", random.seed()}};
  json rows;
  if (!small) look_up_accuracies(known, args[1]);
  if (args[0] != "proxies") {
    const Recipe recipe = recipe_of(data, random, args[at + 3], std::stoll(args[at + 4]),
                                    std::stoll(args[at + 5]), args[at + 6]);
    if (small) {
      const std::int64_t epochs = std::stoll(args[at + 7]);
      const auto start = std::chrono::steady_clock::now();
      known.accuracy = train_alone(known, recipe, random, epochs);
      result["training_seconds_each"] =
          seconds_since(start) / static_cast<double>(known.points.size());
      rows["another_seed"] =
          correlation(train_alone(known, recipe, Random(random.seed() + 1000), epochs), known);
    }
    judge_by_supernet(rows, known, recipe, random);
  }
  if (args[0] != "supernet") judge_by_proxies(rows, known, data, random);
  rows["parameters"] = correlation(known.parameters, known);
  rows["macs"] = correlation(known.macs, known);
  result["accuracy"] = known.accuracy;
  result["judges"] = rows;
  return result;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> args(argv + 1, argv + argc);
  try {
    if ((args.size() == 5 && args[0] == "proxies") || (args.size() == 9 && args[0] == "supernet") ||
        (args.size() == 9 && args[0] == "small")) {
      std::printf("%s\n", run(args).dump(1).c_str());
      return 0;
    }
  } catch (const std::exception& error) {
    std::fprintf(stderr, "ladder_macro: %s\n", error.what());
    return 2;
  }
  std::fprintf(stderr,
               "usage: ladder_macro proxies BENCHMARK IMAGES CANDIDATES SEED\n"
               "       ladder_macro supernet BENCHMARK IMAGES CANDIDATES SEED FOLDER SAMPLES "
               "EPOCHS DEVICE\n"
               "       ladder_macro small IMAGES CANDIDATES SEED FOLDER SAMPLES EPOCHS DEVICE "
               "EPOCHS_ALONE\n");
  return 2;
}
