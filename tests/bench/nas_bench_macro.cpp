// NAS-Bench-Macro (arXiv:2103.11922) as an oracle of samplers: accuracy from its table, latency
// predicted for each of its networks.
//
//   nas_bench_macro predict TABLE            prints the latencies as JSON, by a latency table
//   nas_bench_macro search BENCHMARK LATENCIES SAMPLER SEEDS TRIALS
//                                            runs studies, prints as JSON what each one found

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "codegen/latency/table.h"
#include "codegen/targets.h"
#include "core/config_file.h"
#include "core/error.h"
#include "search/candidate_cost.h"
#include "search/sampler.h"
#include "search/spaces/macro.h"

namespace {

using namespace xgen;
using namespace xgen::search;
using nlohmann::json;

std::string name_of(const Point& point) {
  std::string name;
  for (const int choice : point) name += std::to_string(choice);
  return name;
}

std::vector<Point> all_points(const Space& space) {
  std::vector<Point> all = {{}};
  for (const Parameter& p : space.parameters) {
    std::vector<Point> longer;
    for (const Point& point : all) {
      for (int choice = 0; choice < static_cast<int>(p.choices.size()); ++choice) {
        longer.push_back(point);
        longer.back().push_back(choice);
      }
    }
    all = std::move(longer);
  }
  return all;
}

json predict_all(const std::string& file) {
  const latency::LatencyTable table = latency::LatencyTable::load(file);
  const Target target = find_target(table.platform().target);
  json latencies = json::object();
  const auto start = std::chrono::steady_clock::now();
  for (const Point& point : all_points(nas_bench_macro().space())) {
    // Three digits are what a prediction knows.
    char text[32];
    std::snprintf(text, sizeof text, "%.4g",
                  cost_of(nas_bench_macro().network(point, {}), target, table).latency.us);
    latencies[name_of(point)] = std::atof(text);
  }
  const std::chrono::duration<double, std::milli> spent = std::chrono::steady_clock::now() - start;
  return {{"cpu", table.platform().cpu},
          {"kernels", table.platform().kernels},
          {"milliseconds_each", spent.count() / static_cast<double>(latencies.size())},
          {"latency_us", latencies}};
}

// Error in percent and latency in microseconds of every network.
std::map<Point, Objectives> oracle(const std::string& benchmark, const std::string& latencies) {
  const json accuracies = load_config_json(benchmark),
             us = load_config_json(latencies).at("latency_us");
  std::map<Point, Objectives> known;
  for (const Point& point : all_points(nas_bench_macro().space()))
    known[point] = {100 - accuracies.at(name_of(point)).at("mean_acc").get<double>(),
                    us.at(name_of(point)).get<double>()};
  return known;
}

json run_studies(const std::map<Point, Objectives>& known, const std::string& sampler, int seeds,
                 std::size_t count) {
  Problem problem;
  problem.space = nas_bench_macro().space();
  problem.graph = [](const Point& point) { return nas_bench_macro().labelled(point); };
  problem.known = [&](const Point& point) {
    return Objectives{std::numeric_limits<double>::quiet_NaN(), known.at(point)[1]};
  };
  // Volumes are measured from the worst of each objective.
  std::vector<Objectives> all;
  Objectives reference = {0, 0};
  for (const auto& [point, objectives] : known) {
    all.push_back(objectives);
    for (std::size_t k = 0; k < 2; ++k) reference[k] = std::max(reference[k], objectives[k]);
  }
  const double whole = hypervolume(all, reference);
  json best = json::array(), volumes = json::array();
  for (int seed = 1; seed <= seeds; ++seed) {
    std::vector<Trial> trials;
    std::vector<Objectives> found;
    double least = 100;
    while (trials.size() < count) {
      const Random random(static_cast<std::uint64_t>(seed));
      const Point point =
          find_sampler(sampler, "SAMPLER")({problem, random, trials.size(), trials, {}});
      trials.push_back({point, known.at(point)});
      found.push_back(trials.back().objectives);
      least = std::min(least, found.back()[0]);
    }
    best.push_back(100 - least);
    volumes.push_back(hypervolume(found, reference) / whole);
    std::fprintf(stderr, "%s, seed %d: best %.2f %%, hypervolume %.4f of what there is\n",
                 sampler.c_str(), seed, 100 - least, volumes.back().get<double>());
  }
  return {
      {"sampler", sampler}, {"trials", count}, {"best_accuracy", best}, {"hypervolume", volumes}};
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> args(argv + 1, argv + argc);
  try {
    if (args.size() == 2 && args[0] == "predict") {
      std::printf("%s\n", predict_all(args[1]).dump().c_str());
      return 0;
    }
    if (args.size() == 6 && args[0] == "search") {
      const json result = run_studies(oracle(args[1], args[2]), args[3], std::atoi(args[4].c_str()),
                                      static_cast<std::size_t>(std::atoll(args[5].c_str())));
      std::printf("%s\n", result.dump().c_str());
      return 0;
    }
  } catch (const std::exception& error) {
    std::fprintf(stderr, "nas_bench_macro: %s\n", error.what());
    return 2;
  }
  std::fprintf(stderr,
               "usage: nas_bench_macro predict TABLE | search BENCHMARK LATENCIES SAMPLER SEEDS "
               "TRIALS\n");
  return 2;
}
