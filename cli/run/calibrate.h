#pragma once

#include <map>
#include <string>

#include "cli/run/run_context.h"
#include "quantize/config.h"
#include "quantize/observer.h"

namespace xgen::cli {

/// Ranges of all values of a folded float graph that get a scale, over training images.
std::map<std::string, quantize::ActivationRange> calibrate(RunContext& run, const ir::Graph& graph,
                                                           const quantize::QuantizeConfig& config);

}  // namespace xgen::cli
