#include "train/schedule.h"

#include <cmath>
#include <numbers>

#include "core/error.h"

namespace xgen::train {

double learning_rate(const TrainingConfig& config, std::int64_t step, std::int64_t steps) {
  const std::int64_t warm_up = config.warm_up_steps;
  if (step < warm_up) {
    return config.lr * static_cast<double>(step + 1) / static_cast<double>(warm_up);
  }
  const double done =
      steps > warm_up ? static_cast<double>(step - warm_up) / static_cast<double>(steps - warm_up)
                      : 1.0;
  if (config.schedule == "cosine") return config.lr * 0.5 * (1 + std::cos(std::numbers::pi * done));
  if (config.schedule == "constant") return config.lr;
  XGEN_CHECK(config.schedule == "step", config.schedule);
  double rate = config.lr;
  for (const double at : config.step_at) rate *= done >= at ? config.step_factor : 1;
  return rate;
}

}  // namespace xgen::train
