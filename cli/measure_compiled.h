#pragma once

#include <string>

#include "codegen/compile.h"
#include "codegen/latency/timing.h"
#include "codegen/latency/twins.h"

namespace xgen::cli {

/// By node, the pruned convolutions beside their dense twins.
struct PrunedTimes {
  latency::LayerTwinTimes layers;
  bool measured = true;  ///< false: predicted.
};

/// What was measured of a compiled model on this machine.
struct CompiledTimes {
  Timing whole;
  std::string kernels;
  PrunedTimes pruned;
};

/// Applies law 1: times each pruned convolution against its dense twin, in turn, and lowers
/// `model.program` again with those dense that do not win. Then times the whole model.
///
/// @throws UserError when there is no C compiler. @pre runs_here(model.target).
CompiledTimes measure_and_settle(CompiledModel& model);

/// The same for a target that is not at hand, by the static estimate of its kernels.
PrunedTimes predict_and_settle(CompiledModel& model);

}  // namespace xgen::cli
