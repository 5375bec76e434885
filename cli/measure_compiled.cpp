#include "cli/measure_compiled.h"

#include <set>
#include <vector>

#include "cli/model_file.h"

namespace xgen::cli {

namespace {

// A model with its buffers, run once so that every step finds its inputs.
struct Loaded {
  explicit Loaded(const Program& program) : model(HostModel::build(program)), buffers(model) {
    run();
  }
  void run() { model.run_raw(buffers.inputs(), buffers.outputs()); }
  void run_step(int step) { model.run_step(step, buffers.inputs(), buffers.outputs()); }

  HostModel model;
  ModelBuffers buffers;
};

// By node: the step of each convolution.
std::map<std::string, int> convolutions(const Program& program) {
  std::map<std::string, int> steps;
  for (std::size_t i = 0; i < program.steps.size(); ++i) {
    if (program.steps[i].op == "Conv") steps[program.steps[i].name] = static_cast<int>(i);
  }
  return steps;
}

std::map<std::string, PrunedLayerTimes> time_pruned_layers(const CompiledModel& model) {
  std::map<std::string, PrunedLayerTimes> times;
  for (const Step& step : model.program.steps) {
    if (step.op == "Conv" && step.scheme != "dense") times[step.name] = {};
  }
  if (times.empty()) return times;
  const Program dense_program = lower_dense(model, nullptr);
  Loaded pruned(model.program), dense(dense_program);
  const auto pruned_steps = convolutions(model.program), dense_steps = convolutions(dense_program);
  std::vector<std::function<void()>> functions;
  for (const auto& [name, unused] : times) {
    functions.emplace_back([&, step = pruned_steps.at(name)] { pruned.run_step(step); });
    functions.emplace_back([&, step = dense_steps.at(name)] { dense.run_step(step); });
  }
  const std::vector<Timing> timings = time_interleaved(functions);
  std::size_t i = 0;
  for (auto& [name, layer] : times) {
    layer = {timings[i].median_us, timings[i + 1].median_us};
    i += 2;
  }
  return times;
}

}  // namespace

CompiledTimes measure_and_settle(CompiledModel& model) {
  CompiledTimes times;
  times.layers = time_pruned_layers(model);
  std::set<std::string> losers;
  for (const auto& [name, layer] : times.layers) {
    if (layer.pruned_us >= layer.dense_us) losers.insert(name);
  }
  if (!losers.empty()) model.program = lower_dense(model, &losers);
  Loaded loaded(model.program);
  times.kernels = loaded.model.kernels();
  times.whole = time_interleaved({[&] { loaded.run(); }}).front();
  return times;
}

}  // namespace xgen::cli
