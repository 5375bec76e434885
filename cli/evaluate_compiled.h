#pragma once

#include <cstdint>

#include "codegen/runtime/host_model.h"
#include "train/data/config.h"
#include "train/data/dataset.h"

namespace xgen::cli {

/// Accuracy of generated kernels.
struct CompiledAccuracy {
  double top1 = 0;  ///< in [0, 1]; ties, and outputs which are no numbers, go against the network.
  double top5 = 0;  ///< 1 where there are at most 5 classes.
  double loss = 0;  ///< mean cross entropy, of outputs taken as logits.
  std::int64_t samples = 0;
};

/// Whether `model` classifies images like those of `data`.
/// @throws UserError where it does not: it must have one f32 input [n, channels, height, width] and
///         one f32 output [n, classes].
void check_classifier(const HostModel& model, const train::Dataset& data);

/// Runs `model` over all of `data`, as many images a run as it takes; a last run that is not full
/// repeats older images, which do not count.
/// @throws UserError as check_classifier; Interrupted when the user stops it.
CompiledAccuracy evaluate_kernels(HostModel& model, const train::Dataset& data,
                                  const train::NormalizeConfig& normalize);

}  // namespace xgen::cli
