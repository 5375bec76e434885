#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cli/run/run_context.h"
#include "codegen/compile.h"
#include "codegen/runtime/host_model.h"

/// Compiled networks in a run: their time.
namespace xgen::cli {

/// Median milliseconds of the compiled graph, measured once and then remembered under `name`.
double dense_latency_ms(RunContext& run, const ir::Graph& graph, const std::string& name);

/// A loaded model with buffers to time it on.
class TimedModel {
 public:
  explicit TimedModel(const Program& program);
  void run();
  void run_step(int step);
  HostModel& model() { return model_; }

 private:
  HostModel model_;
  std::vector<std::vector<std::byte>> inputs_, outputs_;
  std::vector<const void*> in_;
  std::vector<void*> out_;
};

}  // namespace xgen::cli
