#pragma once

#include <functional>
#include <map>
#include <string>

#include "cli/run/run_context.h"
#include "codegen/latency/twins.h"

namespace xgen::cli {

/// Times of each convolution of a compressed network and of its dense twin; found once, then
/// remembered.
/// @param name     of the pair, in the round.
/// @param measure  called where the times are not known and kernels of the target run here.
latency::LayerTwinTimes twin_times(RunContext& run, const std::string& name,
                                   const Program& compressed, const Program& dense,
                                   const std::function<latency::LayerTwinTimes()>& measure);

/// Nodes of a masked network whose pruned kernels, in the network as it will run, are not faster
/// than their dense twins (law 1).
/// @return their times.
latency::LayerTwinTimes losers_of_network(RunContext& run, const std::string& name,
                                          const ir::Graph& masked, bool int8);

/// For a person: the times which say that a layer stays dense.
std::string text_of_loser(const latency::TwinTimes& times);

}  // namespace xgen::cli
