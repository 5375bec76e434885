// What a prediction costs: of a layer that was never asked for, of one that was, of a kernel call
// of a lowered network; and the part of the first that counts the layer's work.
//
//   latency_predict [--benchmark_filter=...]

#include <benchmark/benchmark.h>

#include <memory>
#include <vector>

#include "codegen/compile.h"
#include "codegen/latency/fitted_latency.h"
#include "codegen/latency/layer_work.h"
#include "codegen/latency/single_layer.h"
#include "codegen/lower/lower.h"
#include "codegen/targets.h"

namespace {

using namespace xgen;

LayerShape depthwise(int channels) {
  LayerShape shape = latency::square_layer(channels, channels, 5, 7, true);
  shape.groups = channels;
  return shape;
}

struct Case {
  const char* name;
  LayerShape shape;
  LayerVariant variant;
};

// Layers of ResNet-20 and ResNet-50, dense and pruned, and wider ones.
const std::vector<Case>& cases() {
  const auto layer = [](int c, int kernel, int size, bool int8) {
    return latency::square_layer(c, c, kernel, size, int8);
  };
  const LayerVariant pattern = {Sparsity::Scheme::pattern, 4, 4, 4, 0.5};
  static const std::vector<Case> all = {
      {"16c3x3_f32_dense", layer(16, 3, 32, false), {}},
      {"16c3x3_i8_pattern", layer(16, 3, 32, true), pattern},
      {"256c3x3_f32_dense", layer(256, 3, 14, false), {}},
      {"256c3x3_i8_pattern", layer(256, 3, 14, true), pattern},
      {"512c1x1_f32_block", layer(512, 1, 7, false), {Sparsity::Scheme::block, 8, 1, 0, 0.25}},
      {"2048c3x3_f32_dense", layer(2048, 3, 7, false), {}},
      {"2048c3x3_i8_pattern", layer(2048, 3, 7, true), pattern},
      {"2048c5x5_i8_depthwise", depthwise(2048), {}}};
  return all;
}

// A table with one call of the layer's kernel, so that it is predicted from factors.
latency::LatencyTable table_for(const Case& c, const Target& target) {
  const std::string& isa = target.kernels.back();
  const latency::Machine machine = latency::machine_of(target, isa);
  return {{target.name, isa, "", ""},
          {{latency::layer_work(c.shape, c.variant, lowering_for(target), machine), 12.0}}};
}

void first_call(benchmark::State& state, const Case& c) {
  const Target target = find_target("x86_64");
  const latency::LatencyTable table = table_for(c, target);
  for (auto _ : state) {
    state.PauseTiming();
    auto model = std::make_unique<latency::FittedLatency>(table, target);
    state.ResumeTiming();
    benchmark::DoNotOptimize(model->latency_us(c.shape, c.variant));
    state.PauseTiming();
    model.reset();
    state.ResumeTiming();
  }
}

void repeated_call(benchmark::State& state, const Case& c) {
  const Target target = find_target("x86_64");
  const latency::FittedLatency model(table_for(c, target), target);
  for (auto _ : state) benchmark::DoNotOptimize(model.latency_us(c.shape, c.variant));
}

void counting(benchmark::State& state, const Case& c) {
  const Target target = find_target("x86_64");
  const latency::Machine machine = latency::machine_of(target, target.kernels.back());
  const lower::LowerOptions options = lowering_for(target);
  for (auto _ : state)
    benchmark::DoNotOptimize(latency::layer_work(c.shape, c.variant, options, machine));
}

// A network that is lowered already, of this layer: the work of its kernel calls and their time.
void lowered_network(benchmark::State& state, const Case& c) {
  const Target target = find_target("x86_64");
  const latency::FittedLatency model(table_for(c, target), target);
  const Program program =
      lower::lower(latency::single_layer(c.shape, c.variant), lowering_for(target));
  for (auto _ : state) benchmark::DoNotOptimize(model.predict(program));
}

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  const std::vector<std::pair<std::string, void (*)(benchmark::State&, const Case&)>> parts = {
      {"first_call", first_call},
      {"repeated_call", repeated_call},
      {"counting", counting},
      {"lowered_network", lowered_network}};
  for (const Case& c : cases()) {
    for (const auto& [name, function] : parts)
      benchmark::RegisterBenchmark((std::string(c.name) + "/" + name).c_str(), function, c)
          ->Unit(benchmark::kMicrosecond);
  }
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
