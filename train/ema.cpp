#include "train/ema.h"

#include <algorithm>

namespace xgen::train {

NamedTensors copy_of(const NamedTensors& tensors) {
  NamedTensors copies;
  for (const auto& [name, tensor] : tensors) copies.emplace_back(name, tensor.detach().clone());
  return copies;
}

MovingAverage::MovingAverage(const GraphModule& module, double decay)
    : average_(copy_of(module.state())), decay_(decay) {}

void MovingAverage::update(const GraphModule& module) {
  const torch::NoGradGuard no_grad;
  const NamedTensors current = module.state();
  for (std::size_t i = 0; i < average_.size(); ++i) {
    average_[i].second.mul_(decay_).add_(current[i].second, 1 - decay_);
  }
}

void MovingAverage::load_state(const NamedTensors& state) {
  for (auto& [name, tensor] : average_) {
    const auto it = std::find_if(state.begin(), state.end(),
                                 [&, wanted = name](const auto& s) { return s.first == wanted; });
    XGEN_CHECK(it != state.end(), "no moving average of \"", name, '"');
    tensor.copy_(it->second);
  }
}

}  // namespace xgen::train
