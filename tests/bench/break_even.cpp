// From which rate on a pruned convolution is faster than its dense form: every scheme, type, group
// of filters and instruction set that this machine runs, on shapes of real networks, dense and
// pruned interleaved, one thread. Prints JSON, a row for each shape and group.
//
//   break_even [ROUNDS]

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "codegen/compile.h"
#include "codegen/kernels/isa.h"
#include "codegen/latency/single_layer.h"
#include "codegen/latency/timed_model.h"
#include "codegen/latency/timing.h"
#include "codegen/lower/lower.h"
#include "codegen/targets.h"
#include "core/cpu_name.h"

namespace {

using namespace xgen;

struct Shape {
  int channels, size, kernel;
};
// ResNets and MobileNets at 224x224 and 32x32.
const std::vector<Shape> kShapes = {
    {64, 56, 3}, {128, 28, 3}, {256, 14, 3}, {96, 28, 1}, {256, 14, 1}};
// Of the multiply-adds.
const std::vector<double> kKept = {0.9, 0.75, 0.6, 0.44, 0.3, 0.2, 0.1};

// A layer that runs on one instruction set.
class Layer {
 public:
  Layer(const LayerShape& shape, const LayerVariant& variant, const std::string& isa) {
    const Program program =
        lower::lower(latency::single_layer(shape, variant), lowering_for(find_target("host")));
    step_ = latency::layer_step(program);
    const Step& step = program.steps[static_cast<std::size_t>(step_)];
    kept_ = static_cast<double>(step.macs) / static_cast<double>(step.dense_macs);
    model_ = std::make_unique<TimedModel>(HostModel::build(program, {isa}));
  }
  void run() { model_->run_step(step_); }
  double kept() const { return kept_; }

 private:
  std::unique_ptr<TimedModel> model_;
  int step_ = 0;
  double kept_ = 1;
};

// The share of dense time by the share of dense multiply-adds, from many to few; where the pruned
// kernel begins to win, between the points by a straight line. 0: nowhere.
double break_even(const std::vector<std::pair<double, double>>& time_by_kept) {
  std::pair<double, double> above{1, 1};
  bool wins = false;
  double at = 0;
  for (const auto& [kept, time] : time_by_kept) {
    if (time >= 1) {
      above = {kept, time};
      wins = false;
    } else if (!wins) {
      wins = true;
      const double slope = (above.second - time) / std::max(1e-9, above.first - kept);
      at = above.second <= 1 ? above.first : above.first - (above.second - 1) / slope;
    }
  }
  return wins ? at : 0;
}

nlohmann::json row_of(const Shape& s, bool integer, Sparsity::Scheme scheme, int group,
                      const std::string& isa, int rounds) {
  const LayerShape shape = latency::square_layer(s.channels, s.channels, s.kernel, s.size, integer);
  const int taps = scheme == Sparsity::Scheme::pattern ? 4 : 0;
  const double most = taps == 0 ? 1 : static_cast<double>(taps) / (s.kernel * s.kernel);
  std::vector<std::unique_ptr<Layer>> layers;
  layers.push_back(std::make_unique<Layer>(shape, LayerVariant{}, isa));
  for (const double kept : kKept) {
    if (kept > most) continue;
    const LayerVariant variant{scheme, group, integer ? 4 : 1, taps, kept / most};
    layers.push_back(std::make_unique<Layer>(shape, variant, isa));
  }
  std::vector<std::function<void()>> functions;
  for (const auto& layer : layers) functions.emplace_back([l = layer.get()] { l->run(); });
  const std::vector<Timing> timings = time_interleaved(functions, rounds, 4 * rounds, 0.02);
  std::vector<std::pair<double, double>> time_by_kept;
  nlohmann::json points = nlohmann::json::array();
  double efficiency = 0, nearest = 1;
  for (std::size_t i = 1; i < layers.size(); ++i) {
    const double time = timings[i].min_us / timings[0].min_us, kept = layers[i]->kept();
    time_by_kept.emplace_back(kept, time);
    points.push_back({kept, time});
    if (std::abs(kept - 0.25) < nearest) {
      nearest = std::abs(kept - 0.25);
      efficiency = kept / time;
    }
  }
  return {{"scheme", name_of(scheme)},
          {"type", integer ? "int8" : "fp32"},
          {"group_out", group},
          {"lane_channels", integer ? 4 : 1},
          {"kernels", isa},
          {"shape", str(s.channels, " channels, ", s.kernel, "x", s.kernel, " on ", s.size)},
          {"break_even", break_even(time_by_kept)},
          {"efficiency", efficiency},
          {"points", points}};
}

}  // namespace

int main(int argc, char** argv) {
  const int rounds = argc > 1 ? std::max(3, std::atoi(argv[1])) : 9;
  nlohmann::json rows = nlohmann::json::array();
  for (const kernels::Isa* isa : kernels::host_isas()) {
    for (const bool integer : {false, true}) {
      const std::vector<int> groups =
          integer ? std::vector<int>{4, 8, 16} : std::vector<int>{1, 2, 4, 8, 16};
      for (const int group : groups) {
        for (const Shape& shape : kShapes) {
          for (const auto scheme : {Sparsity::Scheme::pattern, Sparsity::Scheme::block}) {
            if (scheme == Sparsity::Scheme::pattern && shape.kernel != 3) continue;
            rows.push_back(row_of(shape, integer, scheme, group, isa->name, rounds));
            std::fprintf(stderr, "%s\n", rows.back().dump().c_str());
          }
        }
      }
    }
  }
  std::printf("%s\n", nlohmann::json({{"cpu", cpu_name()}, {"rows", rows}}).dump().c_str());
  return 0;
}
