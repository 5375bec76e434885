#pragma once

#include <cstdint>

#include "train/config.h"

namespace xgen::train {

/// The learning rate of step `step` (from 0) of `steps`: a linear warm-up from lr / warm_up_steps,
/// then the schedule over the steps that are left. Source of cosine: arXiv:1608.03983.
double learning_rate(const TrainingConfig& config, std::int64_t step, std::int64_t steps);

}  // namespace xgen::train
