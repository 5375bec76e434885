#pragma once

#include <cstddef>
#include <vector>

#include "codegen/runtime/host_model.h"

namespace xgen {

/// A loaded model with buffers of its own to time it on: fp32 inputs hold seeded values in [-1, 1),
/// others zeros. It has run once, so that every step finds its inputs.
class TimedModel {
 public:
  explicit TimedModel(HostModel model);
  /// @throws UserError when there is no C compiler.
  explicit TimedModel(const Program& program) : TimedModel(HostModel::build(program)) {}

  void run() { model_.run_raw(in_.data(), out_.data()); }
  void run_step(int step) { model_.run_step(step, in_.data(), out_.data()); }
  HostModel& model() { return model_; }

 private:
  HostModel model_;
  std::vector<std::vector<std::byte>> buffers_;
  std::vector<const void*> in_;
  std::vector<void*> out_;
};

}  // namespace xgen
