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
#include <random>
#include <string>
#include <vector>

#include "codegen/kernels/isa.h"
#include "codegen/latency/ceiling.h"
#include "codegen/lower/lower.h"
#include "codegen/runtime/host_model.h"
#include "core/ir/infer_shapes.h"

namespace {

using namespace xgen;

struct Shape {
  int in, out, size, kernel;
};

struct Layer {
  std::string family;
  std::string name;
  HostModel model;
  double operations;  // useful: two per multiply-add of a kept weight
  double ceiling;     // operations per second
  std::vector<ir::Constant> inputs, outputs;
  int step = 0;
  std::vector<double> seconds;
};

ir::QuantParams per_tensor(float scale, int zero) { return {{scale}, {zero}, -1}; }

// A convolution of which `kept` of the blocks live, with patterns of 4 of 9 taps where 3x3 and
// sparse.
ir::Graph make_graph(const Shape& s, bool integer, double kept, int group) {
  std::mt19937 random(1);
  ir::Graph graph;
  graph.name = "layer";
  const ir::DType type = integer ? ir::DType::u8 : ir::DType::f32;
  const ir::ValueId x = graph.add_input("x", {type, ir::Shape{1, s.in, s.size, s.size}, {}});
  const ir::Extents extents{s.out, s.in, s.kernel, s.kernel};
  const auto count = static_cast<std::size_t>(ir::element_count(extents));
  Sparsity mask;
  mask.scheme = s.kernel == 3 ? Sparsity::Scheme::pattern : Sparsity::Scheme::block;
  mask.group_out = group;
  mask.lane_channels = integer ? 4 : 1;
  const std::vector<Pattern> eight = {{0b000'011'011}, {0b000'110'110}, {0b011'011'000},
                                      {0b110'110'000}, {0b000'111'010}, {0b010'011'010},
                                      {0b010'110'010}, {0b010'111'000}};
  mask.patterns = s.kernel == 3 ? PatternSet{eight} : PatternSet{{{1}}};
  const WeightShape shape{s.out, s.in, s.kernel, s.kernel};
  const int lanes = shape.lanes(mask),
            live = std::max(1, static_cast<int>(std::lround(lanes * kept)));
  for (int g = 0; g < shape.groups(mask); ++g) {
    std::vector<std::int16_t> row(static_cast<std::size_t>(lanes), Sparsity::kNone);
    std::vector<int> order(static_cast<std::size_t>(lanes));
    for (int i = 0; i < lanes; ++i) order[static_cast<std::size_t>(i)] = i;
    std::shuffle(order.begin(), order.end(), random);
    for (int i = 0; i < live; ++i) {
      row[static_cast<std::size_t>(order[static_cast<std::size_t>(i)])] =
          static_cast<std::int16_t>(random() % static_cast<unsigned>(mask.patterns.size()));
    }
    mask.kept.insert(mask.kept.end(), row.begin(), row.end());
  }
  const ir::ValueId w = graph.add_constant(
      "w", integer ? ir::Constant::of<std::int8_t>(extents, std::vector<std::int8_t>(count, 1))
                   : ir::Constant::of<float>(extents, std::vector<float>(count, 0.01F)));
  if (kept < 1 || s.kernel == 3) graph.value(w).sparsity = mask;
  const auto filters = static_cast<std::size_t>(s.out);
  const ir::ValueId b = graph.add_constant(
      "b", integer ? ir::Constant::of<std::int32_t>({s.out}, std::vector<std::int32_t>(filters, 5))
                   : ir::Constant::of<float>({s.out}, std::vector<float>(filters, 0.5F)));
  ir::Conv conv;
  const std::int64_t pad = s.kernel / 2;
  conv.pads = {pad, pad, pad, pad};
  conv.epilogue.activation = {ir::Activation::Kind::clip, 0, std::numeric_limits<float>::infinity(),
                              0, 0};
  const ir::ValueId y = graph.add_node("y", conv, {x, w, b});
  graph.set_outputs({y});
  if (integer) {
    graph.value(x).type.quant = per_tensor(0.02F, 7);
    graph.value(w).type.quant = ir::QuantParams{std::vector<float>(filters, 0.001F),
                                                std::vector<std::int32_t>(filters, 0), 0};
    graph.value(y).type.dtype = ir::DType::u8;
    graph.value(y).type.quant = per_tensor(0.05F, 3);
  }
  return ir::infer_shapes(std::move(graph));
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
    const Program program = lower::lower(make_graph(s, integer, kept, group), options);
    const int step = static_cast<int>(std::find_if(program.steps.begin(), program.steps.end(),
                                                   [](const Step& p) { return p.op == "Conv"; }) -
                                      program.steps.begin());
    const double macs = static_cast<double>(program.steps[static_cast<std::size_t>(step)].macs);
    Layer layer{
        family,
        str(s.in, " -> ", s.out, ", ", s.size, "x", s.size, ", ", std::lround(100 * kept), " %"),
        HostModel::build(program),
        2 * macs,
        integer ? ceiling.int8 : ceiling.fp32,
        {},
        {},
        step,
        {}};
    for (const TensorInfo& t : layer.model.inputs()) {
      layer.inputs.push_back(
          {t.dtype, t.shape,
           std::vector<std::byte>(static_cast<std::size_t>(ir::element_count(t.shape)) *
                                  ir::size_of(t.dtype)),
           ir::Role::fixed});
    }
    layers.push_back(std::move(layer));
    layers.back().outputs = layers.back().model.run(layers.back().inputs);
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
      const void* in[] = {layer.inputs[0].bytes.data()};
      void* out[] = {layer.outputs[0].bytes.data()};
      for (int repeat = 0; repeat < 5; ++repeat) {
        const auto start = std::chrono::steady_clock::now();
        layer.model.run_step(layer.step, in, out);
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
