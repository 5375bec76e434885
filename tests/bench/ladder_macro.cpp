// What cheap judgements of a candidate are worth: how well they order networks of NAS-Bench-Macro
// (arXiv:2103.11922), whose accuracies on CIFAR-10 after a whole training are known.
//
//   ladder_macro proxies BENCHMARK IMAGES CANDIDATES SEED
//   ladder_macro supernet BENCHMARK IMAGES CANDIDATES SEED FOLDER SAMPLES EPOCHS
//
// BENCHMARK is nas-bench-macro_cifar10.json, IMAGES is cifar10-jpeg.tar.gz. Prints as JSON the rank
// correlations with the known accuracy; those of parameters and multiply-adds, which cost nothing,
// stand beside them. `supernet` trains one in FOLDER, with SAMPLES images in each of EPOCHS, or
// goes on with it, and judges candidates on 1,000 others.

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "core/config_file.h"
#include "core/error.h"
#include "search/proxies.h"
#include "search/rank_correlation.h"
#include "search/spaces/macro.h"
#include "search/supernet.h"
#include "train/data/load.h"

namespace {

using namespace xgen;
using namespace xgen::search;
using nlohmann::json;

constexpr std::int64_t kBatch = 64;     // images that a proxy sees
constexpr std::int64_t kJudged = 1000;  // images that a supernet's candidates are judged on

train::NormalizeConfig normalize() {
  return {255, {0.4914, 0.4822, 0.4465}, {0.2470, 0.2435, 0.2616}};
}

train::Dataset images_of_training(const std::string& file) {
  train::DataConfig config;
  config.format = "image_tar";
  config.path = file;
  config.train = "train";
  config.test = "test";
  config.validation_share = 0;
  return train::load_data(config, ".", 1).train;
}

std::vector<std::int64_t> drawn(const train::Dataset& data, std::int64_t count,
                                const Random& random) {
  return train::stratified_positions(data, count, random.stream("images", count));
}

// Candidates, and what is known of them.
struct Known {
  std::vector<Point> points;
  std::vector<double> accuracy, parameters, macs;
};

Known candidates_of(const std::string& benchmark, std::size_t count, const Random& random) {
  const json table = load_config_json(benchmark);
  const Space space = nas_bench_macro().space();
  RandomStream stream = random.stream("candidates");
  std::set<Point> seen;
  Known known;
  while (known.points.size() < count) {
    const Point point = space.sample(stream);
    if (!seen.insert(point).second) continue;
    std::string name;
    for (const int choice : point) name += std::to_string(choice);
    const json& row = table.at(name);
    known.points.push_back(point);
    known.accuracy.push_back(row.at("mean_acc"));
    known.parameters.push_back(row.at("params"));
    known.macs.push_back(row.at("flops"));
  }
  return known;
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
  const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - start;
  json row = correlation(scores, known);
  row["seconds_each"] = spent.count() / static_cast<double>(scores.size());
  return row;
}

json proxies(const Known& known, const train::Dataset& data, const Random& random) {
  const train::Batch batch =
      train::BatchMaker(data, normalize(), {}).plain(drawn(data, kBatch, random));
  json rows = json::object();
  for (const std::string& name : proxy_names())
    rows[name] = judged(known, name, [&](const Point& point) {
      return find_proxy(name, "proxy")(nas_bench_macro().network(point, random), batch);
    });
  return rows;
}

json supernet(const Known& known, const train::Dataset& data, const Random& random,
              const std::string& folder, std::int64_t samples, std::int64_t epochs) {
  const std::vector<std::int64_t> judging = drawn(data, kJudged, random);
  const train::Dataset rest = data.subset(train::other_positions(data.size(), judging));
  const train::Dataset training = rest.subset(drawn(rest, samples, random));
  SupernetTraining how;
  how.training.batch_size = 96;
  how.training.lr = 0.03;  // of the sum of four paths' gradients
  how.training.warm_up_steps = 30;
  how.training.clip_norm = 5;
  how.epochs = epochs;
  how.threads = 2;
  how.normalize = normalize();
  how.augment.flip = true;
  how.augment.random_crop_padding = 4;
  how.folder = folder;
  how.resume = true;
  Supernet net(nas_bench_macro(), random.seed());
  const auto start = std::chrono::steady_clock::now();
  net.train(training, how);
  const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - start;
  const Calibration calibration{training, normalize(), 100, 5};
  const train::Dataset judges = data.subset(judging);
  json row = judged(known, "supernet",
                    [&](const Point& point) { return net.accuracy(point, calibration, judges); });
  row["training_seconds"] = spent.count();
  return {{"supernet", row}};
}

json run(const std::vector<std::string>& args) {
  const Random random(std::stoull(args[4]));
  const Known known = candidates_of(args[1], std::stoul(args[3]), random);
  const train::Dataset data = images_of_training(args[2]);
  json rows = args[0] == "proxies" ? proxies(known, data, random)
                                   : supernet(known, data, random, args[5], std::stoll(args[6]),
                                              std::stoll(args[7]));
  rows["parameters"] = correlation(known.parameters, known);
  rows["macs"] = correlation(known.macs, known);
  return {{"candidates", known.points.size()}, {"seed", random.seed()}, {"judges", rows}};
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> args(argv + 1, argv + argc);
  try {
    if ((args.size() == 5 && args[0] == "proxies") || (args.size() == 8 && args[0] == "supernet")) {
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
               "EPOCHS\n");
  return 2;
}
