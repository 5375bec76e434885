#include "cli/measure_compiled.h"

#include <algorithm>
#include <set>

namespace xgen::cli {

namespace {

latency::LayerTwinTimes time_pruned(const CompiledModel& model) {
  std::set<std::string> pruned;
  for (const Step& step : model.program.steps) {
    if (step.op == "Conv" && step.scheme != "dense") pruned.insert(step.name);
  }
  if (pruned.empty()) return {};
  const Program dense_program = lower_dense(model, nullptr);
  TimedModel compressed(model.program), dense(dense_program);
  auto times = latency::time_twins({model.program, compressed}, {dense_program, dense});
  std::erase_if(times, [&](const auto& layer) { return pruned.count(layer.first) == 0; });
  return times;
}

}  // namespace

CompiledTimes measure_and_settle(CompiledModel& model) {
  CompiledTimes times;
  times.pruned = time_pruned(model);
  const std::set<std::string> losers = latency::losers(model.program, times.pruned);
  if (!losers.empty()) model.program = lower_dense(model, &losers);
  TimedModel timed(model.program);
  times.kernels = timed.model().kernels();
  times.whole = time_interleaved({[&] { timed.run(); }}).front();
  return times;
}

}  // namespace xgen::cli
