#pragma once

#include <string>

#include "codegen/compile.h"
#include "codegen/latency/timing.h"
#include "codegen/latency/twins.h"

namespace xgen::cli {

/// What was measured of a compiled model on this machine.
struct CompiledTimes {
  Timing whole;
  std::string kernels;
  latency::LayerTwinTimes pruned;  ///< those with a mask.
};

/// Applies law 1: times each pruned convolution against its dense twin, in turn, and lowers
/// `model.program` again with those dense that do not win. Then times the whole model.
///
/// @throws UserError when there is no C compiler. @pre runs_here(model.target).
CompiledTimes measure_and_settle(CompiledModel& model);

}  // namespace xgen::cli
