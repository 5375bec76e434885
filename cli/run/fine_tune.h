#pragma once

#include "cli/run/run_context.h"

namespace xgen::cli {

/// Trains a pruned network on, with what a stage's "fine_tune" says, and adds the history to its
/// record.
void fine_tune(RunContext& run, const PruneStage& stage, train::GraphModule& module,
               const std::vector<train::TrainingHook*>& hooks, nlohmann::json& record);

/// Measures batch norms again, after part of a network was removed, and says what it is worth.
/// @return the metrics.
nlohmann::json validate_pruned(RunContext& run, const PruneStage& stage,
                               train::GraphModule& module);

}  // namespace xgen::cli
