// What a prediction costs: of a layer that was never asked for, of one that was, and the parts of
// the first: the graph of the layer alone, its lowering, counting its work, and the model itself.
//
//   latency_predict [--benchmark_filter=...]

#include <benchmark/benchmark.h>

#include <memory>
#include <vector>

#include "codegen/compile.h"
#include "codegen/latency/fitted_latency.h"
#include "codegen/latency/single_layer.h"
#include "codegen/lower/lower.h"
#include "codegen/targets.h"

namespace {

using namespace xgen;

struct Case {
  const char* name;
  LayerShape shape;
  LayerVariant variant;
};

// Layers of ResNet-20 and ResNet-50, dense and pruned.
const std::vector<Case>& cases() {
  const auto layer = [](int c, int kernel, int size, bool int8) {
    return latency::square_layer(c, c, kernel, size, int8);
  };
  static const std::vector<Case> all = {
      {"16c3x3_f32_dense", layer(16, 3, 32, false), {}},
      {"16c3x3_i8_pattern", layer(16, 3, 32, true), {Sparsity::Scheme::pattern, 4, 4, 4, 0.5}},
      {"256c3x3_f32_dense", layer(256, 3, 14, false), {}},
      {"256c3x3_i8_pattern", layer(256, 3, 14, true), {Sparsity::Scheme::pattern, 4, 4, 4, 0.5}},
      {"512c1x1_f32_block", layer(512, 1, 7, false), {Sparsity::Scheme::block, 8, 1, 0, 0.25}}};
  return all;
}

// A table with one call of the layer's kernel, so that it is predicted from factors.
latency::LatencyTable table_for(const Case& c, const Target& target) {
  const Program program =
      lower::lower(latency::single_layer(c.shape, c.variant), lowering_for(target));
  const auto step = static_cast<std::size_t>(latency::layer_step(program));
  const std::string& isa = target.kernels.back();
  const latency::Machine machine = latency::machine_of(target, isa);
  return {{target.name, isa, "", ""},
          {{latency::work_of(program, program.steps[step], machine), 12.0}}};
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

void graph_of_the_layer(benchmark::State& state, const Case& c) {
  for (auto _ : state) benchmark::DoNotOptimize(latency::single_layer(c.shape, c.variant));
}

void lowering(benchmark::State& state, const Case& c) {
  const ir::Graph graph = latency::single_layer(c.shape, c.variant);
  const lower::LowerOptions options = lowering_for(find_target("x86_64"));
  for (auto _ : state) benchmark::DoNotOptimize(lower::lower(graph, options));
}

// A kernel call of a network that is lowered already: its work and its time.
void lowered_step(benchmark::State& state, const Case& c) {
  const Target target = find_target("x86_64");
  const latency::FittedLatency model(table_for(c, target), target);
  const Program program =
      lower::lower(latency::single_layer(c.shape, c.variant), lowering_for(target));
  const int step = latency::layer_step(program);
  for (auto _ : state) benchmark::DoNotOptimize(model.predict(program, step));
}

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  const std::vector<std::pair<std::string, void (*)(benchmark::State&, const Case&)>> parts = {
      {"first_call", first_call},
      {"repeated_call", repeated_call},
      {"graph_of_the_layer", graph_of_the_layer},
      {"lowering", lowering},
      {"lowered_step", lowered_step}};
  for (const Case& c : cases()) {
    for (const auto& [name, function] : parts)
      benchmark::RegisterBenchmark((std::string(c.name) + "/" + name).c_str(), function, c)
          ->Unit(benchmark::kMicrosecond);
  }
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
