#pragma once

#include <memory>

#include "train/config.h"
#include "train/graph_module.h"

namespace torch::optim {
class Optimizer;
}

namespace xgen::train {

/// LibTorch's SGD or AdamW over the parameters of a module, with its state as named tensors.
/// Parameters of fewer than two dimensions (biases, BatchNorm) are not decayed.
class Optimizer {
 public:
  Optimizer(const GraphModule& module, const TrainingConfig& config);
  ~Optimizer();

  void zero_gradients();
  /// Scales all gradients so that their norm is at most `max_norm` (0: no limit).
  /// @returns the norm before.
  double clip_gradients(double max_norm);
  void step(double learning_rate);

  /// "momentum_buffer/NAME", "exp_avg/NAME", "exp_avg_sq/NAME", "step/NAME"; only what exists yet.
  NamedTensors state() const;
  /// @throws InternalError for a name that does not belong here.
  void load_state(const NamedTensors& state);

 private:
  NamedTensors parameters_;
  bool adam_;
  std::unique_ptr<torch::optim::Optimizer> optimizer_;
};

}  // namespace xgen::train
