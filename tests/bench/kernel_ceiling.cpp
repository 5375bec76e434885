// How much of the processor's ceiling the convolution kernels keep: generated code on the shapes of
// real networks, with bias, activation, requantization and borders, counting useful positions only.
// Interleaved with the ceiling itself in one run, one thread.
//
//   kernel_ceiling [--rounds N] [--json]

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "codegen/kernels/isa.h"
#include "codegen/latency/ceiling.h"
#include "codegen/latency/single_layer.h"
#include "codegen/latency/timed_model.h"
#include "codegen/lower/lower.h"

namespace {

using namespace xgen;

struct Shape {
  int in, out, size, kernel;
};

struct Layer {
  std::string family;
  std::string name;
  TimedModel model;
  double operations;  // useful: two per multiply-add of a kept weight
  double ceiling;     // operations per second
  int step;
  std::vector<double> seconds;
};

// A convolution of which `kept` of the blocks live, with patterns of 4 of 9 taps where 3x3 and
// sparse.
ir::Graph layer_of(const Shape& s, bool integer, double kept, int group) {
  const LayerShape shape = latency::square_layer(s.in, s.out, s.kernel, s.size, integer);
  LayerVariant variant;
  if (kept < 1 || s.kernel == 3)
    variant = {s.kernel == 3 ? Sparsity::Scheme::pattern : Sparsity::Scheme::block, group,
               integer ? 4 : 1, s.kernel == 3 ? 4 : 0, kept};
  return latency::single_layer(shape, variant);
}

}  // namespace

int main(int argc, char** argv) {
  int rounds = 15;
  bool json = false;
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--json") == 0)
      json = true;
    else if (std::strcmp(argv[i], "--rounds") == 0 && i + 1 < argc)
      rounds = std::atoi(argv[++i]);
    else
      return std::fprintf(stderr, "usage: kernel_ceiling [--rounds N] [--json]\n"), 2;
  }
  const std::string best = kernels::host_isas().back()->name;
  const latency::Ceiling ceiling = latency::measure_ceiling();
  if (ceiling.fp32 == 0)
    return std::fprintf(stderr, "this processor has no AVX-512: the ceiling is not known here\n"),
           0;
  const bool vnni = best == "x86-avx512-vnni";

  const std::vector<Shape> square = {
      {64, 64, 56, 3}, {128, 128, 28, 3}, {256, 256, 14, 3}, {512, 512, 7, 3}};
  const std::vector<Shape> pointwise = {
      {64, 256, 56, 1}, {256, 64, 56, 1}, {512, 128, 28, 1}, {1024, 256, 14, 1}, {2048, 512, 7, 1}};
  std::vector<Layer> layers;
  const auto add = [&](const std::string& family, const Shape& s, bool integer, double kept,
                       int group) {
    if (integer && !vnni) return;
    const lower::LowerOptions options;
    const Program program = lower::lower(layer_of(s, integer, kept, group), options);
    const int step = latency::layer_step(program);
    layers.push_back(
        {family,
         str(s.in, " -> ", s.out, ", ", s.size, "x", s.size, ", ", std::lround(100 * kept), " %"),
         TimedModel(program),
         2 * static_cast<double>(program.steps[static_cast<std::size_t>(step)].macs),
         integer ? ceiling.int8 : ceiling.fp32,
         step,
         {}});
  };
  for (const double kept : {1.0, 0.28}) {
    for (const Shape& s : square) add("3x3 fp32", s, false, kept, 8);
    for (const Shape& s : square) add("3x3 int8", s, true, kept, kept == 1.0 ? 8 : 4);
  }
  for (const double kept : {1.0, 0.25}) {
    for (const Shape& s : pointwise)
      add(kept == 1.0 ? "1x1 fp32 dense" : "1x1 fp32 at a quarter", s, false, kept, 8);
    for (const Shape& s : pointwise)
      add(kept == 1.0 ? "1x1 int8 dense" : "1x1 int8 at a quarter", s, true, kept, 4);
  }

  std::vector<double> fp32_ceilings, int8_ceilings;
  for (int round = 0; round < rounds; ++round) {
    const latency::Ceiling now = latency::measure_ceiling();
    fp32_ceilings.push_back(now.fp32);
    int8_ceilings.push_back(now.int8);
    for (Layer& layer : layers) {
      for (int repeat = 0; repeat < 5; ++repeat) {
        const auto start = std::chrono::steady_clock::now();
        layer.model.run_step(layer.step);
        layer.seconds.push_back(
            std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
      }
    }
  }
  const double fp32 = *std::max_element(fp32_ceilings.begin(), fp32_ceilings.end()),
               int8 = *std::max_element(int8_ceilings.begin(), int8_ceilings.end());
  std::map<std::string, std::pair<double, int>> logs;
  std::map<std::string, double> worst;
  nlohmann::json rows = nlohmann::json::array();
  if (!json)
    std::printf("kernels %s, ceiling fp32 %.0f GFLOP/s, int8 %.0f GOP/s\n", best.c_str(),
                fp32 / 1e9, int8 / 1e9);
  for (Layer& layer : layers) {
    std::sort(layer.seconds.begin(), layer.seconds.end());
    const double top = layer.family.find("int8") != std::string::npos ? int8 : fp32;
    const double share = layer.operations / layer.seconds.front() / top,
                 median = layer.operations / layer.seconds[layer.seconds.size() / 2] / top;
    logs[layer.family].first += std::log(share);
    logs[layer.family].second += 1;
    worst[layer.family] =
        worst.count(layer.family) != 0 ? std::min(worst[layer.family], share) : share;
    rows.push_back({{"family", layer.family},
                    {"shape", layer.name},
                    {"share", share},
                    {"median_share", median},
                    {"gops", layer.operations / layer.seconds.front() / 1e9}});
    if (!json)
      std::printf("%-22s %-32s best %5.1f %%  median %5.1f %%  %7.1f G/s\n", layer.family.c_str(),
                  layer.name.c_str(), 100 * share, 100 * median,
                  layer.operations / layer.seconds.front() / 1e9);
  }
  nlohmann::json families;
  for (const auto& [family, sum] : logs) {
    const double mean = std::exp(sum.first / sum.second);
    families[family] = {{"geometric_mean", mean}, {"worst", worst[family]}};
    if (!json)
      std::printf("%-22s geometric mean %5.1f %%, worst %5.1f %%\n", family.c_str(), 100 * mean,
                  100 * worst[family]);
  }
  if (json)
    std::printf("%s\n", nlohmann::json({{"kernels", best},
                                        {"ceiling_fp32", fp32},
                                        {"ceiling_int8", int8},
                                        {"layers", rows},
                                        {"families", families}})
                            .dump(1)
                            .c_str());
  return 0;
}
