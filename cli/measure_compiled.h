#pragma once

#include <map>
#include <string>

#include "codegen/compile.h"
#include "codegen/latency/measured_latency.h"

namespace xgen::cli {

/// A pruned layer's kernel and its dense twin, in microseconds.
struct PrunedLayerTimes {
  double pruned_us = 0, dense_us = 0;
};

/// What was measured of a compiled model on this machine.
struct CompiledTimes {
  Timing whole;
  std::string kernels;
  std::map<std::string, PrunedLayerTimes> layers;  ///< by node: those with a mask.
};

/// Applies law 1: times each pruned convolution against its dense twin, in turn, and lowers
/// `model.program` again with those dense that do not win. Then times the whole model.
///
/// @throws UserError when there is no C compiler. @pre runs_here(model.target).
CompiledTimes measure_and_settle(CompiledModel& model);

}  // namespace xgen::cli
