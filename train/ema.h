#pragma once

#include "train/graph_module.h"

namespace xgen::train {

/// An exponential moving average of a module's parameters and buffers.
class MovingAverage {
 public:
  /// Begins with the weights as they are. @param decay  share of the old value that is kept.
  MovingAverage(const GraphModule& module, double decay);

  void update(const GraphModule& module);
  const NamedTensors& state() const { return average_; }
  void load_state(const NamedTensors& state);

 private:
  NamedTensors average_;
  double decay_;
};

/// Copies of parameters and buffers.
NamedTensors copy_of(const NamedTensors& tensors);

}  // namespace xgen::train
