#pragma once

#include <map>
#include <string>

#include "cli/run/run_context.h"
#include "prune/importance/importance.h"
#include "prune/plan.h"

namespace xgen::cli {

/// What `importance` needs to know of layers, measured over training images.
///
/// @throws UserError for a layer that lacks it, such as a batch norm.
std::map<std::string, prune::Evidence> collect_evidence(
    RunContext& run, train::GraphModule& module, const std::vector<prune::PlannedLayer>& layers,
    const prune::Importance& importance, std::int64_t samples);

}  // namespace xgen::cli
