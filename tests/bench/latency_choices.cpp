// What choosing by a latency table costs: for layers of real networks at a range of rates, all
// schemes and groups of filters that reach the rate are predicted and measured, one thread. The
// regret of a choice is how much longer the kernel takes that is predicted to be the fastest than
// the one that is. Prints JSON.
//
//   latency_choices TABLE.json

#include <algorithm>
#include <cstdio>
#include <functional>
#include <limits>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "codegen/compile.h"
#include "codegen/latency/fitted_latency.h"
#include "codegen/latency/single_layer.h"
#include "codegen/latency/timed_model.h"
#include "codegen/latency/timing.h"
#include "codegen/lower/lower.h"
#include "codegen/targets.h"

namespace {

using namespace xgen;

struct Shape {
  int in, out, size, kernel;
};
// VGG-16 and ResNets at 224x224 and 32x32, MobileNetV2.
const std::vector<Shape> kShapes = {
    {64, 64, 56, 3},  {128, 128, 28, 3}, {256, 256, 14, 3},  {512, 512, 7, 3},
    {16, 16, 32, 3},  {32, 32, 16, 3},   {64, 64, 8, 3},     {96, 96, 40, 3},
    {64, 256, 56, 1}, {512, 128, 28, 1}, {256, 1024, 14, 1}, {2048, 512, 7, 1},
    {24, 144, 56, 1}, {192, 32, 28, 1},  {96, 576, 14, 1},   {320, 1280, 7, 1}};
const std::vector<double> kRates = {1.3, 1.7, 2.3, 3, 4, 6, 9};

// A way to run a layer, with its time by prediction and by the clock.
struct Candidate {
  LayerVariant variant;
  std::unique_ptr<TimedModel> model;
  int step = 0;
  double predicted_us = 0, measured_us = std::numeric_limits<double>::infinity();
};

// A neighbour slows one moment down, and not every kernel alike: of several moments the least
// counts, as where a table is built.
constexpr int kVisits = 3;

void time(std::vector<Candidate>& candidates) {
  std::vector<std::function<void()>> functions;
  for (Candidate& c : candidates) functions.emplace_back([&c] { c.model->run_step(c.step); });
  const std::vector<Timing> timings = time_interleaved(functions, 15, 61, 0.01);
  for (std::size_t i = 0; i < candidates.size(); ++i)
    candidates[i].measured_us = std::min(candidates[i].measured_us, timings[i].min_us);
}

std::vector<LayerVariant> variants_of(const LayerShape& shape, double rate) {
  std::vector<LayerVariant> variants = {{}};
  const int lane = shape.int8 ? 4 : 1;
  const std::vector<int> groups =
      shape.int8 ? std::vector<int>{4, 8, 16} : std::vector<int>{1, 4, 8, 16};
  for (const int group : groups) {
    variants.push_back({Sparsity::Scheme::block, group, lane, 0, 1 / rate});
    if (shape.kernel_h == 3 && rate >= 9.0 / 4)
      variants.push_back({Sparsity::Scheme::pattern, group, lane, 4, 9.0 / 4 / rate});
  }
  return variants;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: latency_choices TABLE.json\n");
    return 2;
  }
  const Target target = find_target("host");
  const latency::FittedLatency model(latency::LatencyTable::load(argv[1]), target);
  nlohmann::json rows = nlohmann::json::array();
  double sum = 0, worst = 0;
  int best = 0;
  for (const Shape& s : kShapes) {
    for (const bool integer : {false, true}) {
      const LayerShape shape = latency::square_layer(s.in, s.out, s.kernel, s.size, integer);
      std::vector<std::vector<Candidate>> choices;  // by rate
      for (const double rate : kRates) {
        std::vector<Candidate>& candidates = choices.emplace_back();
        for (const LayerVariant& variant : variants_of(shape, rate)) {
          const Program program =
              lower::lower(latency::single_layer(shape, variant), lowering_for(target));
          candidates.push_back({variant, std::make_unique<TimedModel>(program),
                                latency::layer_step(program), model.latency_us(shape, variant)});
        }
      }
      for (int visit = 0; visit < kVisits; ++visit) {
        for (std::vector<Candidate>& candidates : choices) time(candidates);
      }
      for (std::size_t r = 0; r < kRates.size(); ++r) {
        const auto by = [&](double Candidate::*us) -> const Candidate& {
          return *std::min_element(
              choices[r].begin(), choices[r].end(),
              [us](const Candidate& a, const Candidate& b) { return a.*us < b.*us; });
        };
        const Candidate &chosen = by(&Candidate::predicted_us),
                        &fastest = by(&Candidate::measured_us);
        const double regret = chosen.measured_us / fastest.measured_us - 1;
        sum += regret;
        worst = std::max(worst, regret);
        best += &chosen == &fastest ? 1 : 0;
        rows.push_back({{"layer", to_string(shape)},
                        {"rate", kRates[r]},
                        {"chosen", to_string(chosen.variant)},
                        {"fastest", to_string(fastest.variant)},
                        {"regret", regret}});
        std::fprintf(stderr, "%s\n", rows.back().dump().c_str());
      }
    }
  }
  const auto n = static_cast<double>(rows.size());
  std::printf("%s\n", nlohmann::json({{"choices", rows.size()},
                                      {"fastest_chosen", best / n},
                                      {"mean_regret", sum / n},
                                      {"worst_regret", worst},
                                      {"rows", rows}})
                          .dump()
                          .c_str());
  return 0;
}
