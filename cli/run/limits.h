#pragma once

#include <functional>
#include <string>
#include <vector>

#include "cli/run/run_context.h"
#include "prune/rates.h"

namespace xgen::cli {

/// What the choice of rates must keep, each with what a person knows of it, in the same order.
struct Limits {
  std::vector<prune::Limit> limits;
  std::vector<std::string> names;  ///< keys of the config.
  std::vector<double> wanted;      ///< as the config says it.
  std::vector<double> unit;        ///< what one of that is in a Cost.
};

/// What a stage's rates ask for: fewer MACs, or the requirements of the run; of two on time the
/// tighter one.
/// @param open_conv_macs  of the convolutions that may be pruned.
/// @param dense_us        of the dense network in fp32, asked for where the goal is a share of it.
Limits limits_of(const RunContext& run, const PruneStage& stage, double all_conv_macs,
                 double open_conv_macs, const std::function<double()>& dense_us);

/// Ends a run whose limits cannot be kept, with those that bind in its report.
/// @param fixed  what the network costs besides the layers that may be pruned.
/// @throws RequirementsError, or UserError where only MACs were asked for.
[[noreturn]] void refuse(RunContext& run, const Limits& limits, const prune::Cost& fixed,
                         const prune::ChosenRates& chosen);

/// Says early what no training changes: without a stage that removes channels, the memory that the
/// network needs as it is. @throws RequirementsError.
void check_memory_before(RunContext& run, const ir::Graph& initial);

/// @throws RequirementsError for a network that needs more than requirements.peak_ram_bytes_max.
void check_memory(RunContext& run, double memory_bytes);

}  // namespace xgen::cli
