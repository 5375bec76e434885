#include "cli/measure_compiled.h"

#include <functional>
#include <set>

namespace xgen::cli {

namespace {

// `time` gives the times of all convolutions of the model's program and of its dense one.
PrunedTimes settle(CompiledModel& model, bool measured,
                   const std::function<latency::LayerTwinTimes(const Program& dense)>& time) {
  std::set<std::string> pruned;
  for (const Step& step : model.program.steps) {
    if (step.op == "Conv" && step.scheme != "dense") pruned.insert(step.name);
  }
  PrunedTimes times{{}, measured};
  if (pruned.empty()) return times;
  times.layers = time(lower_dense(model, nullptr));
  std::erase_if(times.layers, [&](const auto& layer) { return pruned.count(layer.first) == 0; });
  const std::set<std::string> losers = latency::losers(model.program, times.layers);
  if (!losers.empty()) model.program = lower_dense(model, &losers);
  return times;
}

}  // namespace

CompiledTimes measure_and_settle(CompiledModel& model) {
  CompiledTimes times;
  times.pruned = settle(model, true, [&](const Program& dense_program) {
    TimedModel compressed(model.program), dense(dense_program);
    return latency::time_twins({model.program, compressed}, {dense_program, dense});
  });
  TimedModel timed(model.program);
  times.kernels = timed.model().kernels();
  times.whole = time_interleaved({[&] { timed.run(); }}).front();
  return times;
}

PrunedTimes predict_and_settle(CompiledModel& model) {
  const latency::FittedLatency estimate(
      {{model.target.name, model.target.kernels.back(), "", ""}, {}}, model.target);
  return settle(model, false, [&](const Program& dense) {
    return latency::predict_twins(model.program, dense, estimate);
  });
}

}  // namespace xgen::cli
