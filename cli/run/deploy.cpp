#include "cli/run/deploy.h"

namespace xgen::cli {

double dense_latency_ms(RunContext& run, const ir::Graph& graph, const std::string& name) {
  if (const auto known = run.latency().recall(name)) return 1e-3 * *known;
  CompileOptions options;
  options.target = run.target();
  options.use_sparsity = false;
  TimedModel model(compile(graph, options).program);
  const double us = time_interleaved({[&] { model.run(); }}).front().median_us;
  run.latency().remember({{name, us}});
  return 1e-3 * us;
}

TimedModel::TimedModel(const Program& program) : model_(HostModel::build(program)) {
  const auto bytes = [](const TensorInfo& t) {
    return static_cast<std::size_t>(ir::element_count(t.shape)) * ir::size_of(t.dtype);
  };
  for (const TensorInfo& t : model_.inputs()) inputs_.emplace_back(bytes(t));
  for (const TensorInfo& t : model_.outputs()) outputs_.emplace_back(bytes(t));
  for (auto& b : inputs_) in_.push_back(b.data());
  for (auto& b : outputs_) out_.push_back(b.data());
  run();
}

void TimedModel::run() { model_.run_raw(in_.data(), out_.data()); }
void TimedModel::run_step(int step) { model_.run_step(step, in_.data(), out_.data()); }

}  // namespace xgen::cli
