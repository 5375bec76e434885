#pragma once

#include <map>

#include "cli/run/run_context.h"
#include "prune/layers.h"
#include "prune/rates.h"

namespace xgen::cli {

struct LatencyChoice {
  prune::Rates rates;
  std::map<std::string, double> harm;  ///< by weight: growth of the loss at the chosen rate.
  nlohmann::json points;               ///< from dense to the choice: latency and predicted harm.
};

/// Chooses a rate for each layer such that the network meets requirements.latency_ms_max: the time
/// that generated kernels take, against the harm that a scan shows, how much the loss on held-back
/// images grows when this layer alone is pruned at once.
///
/// @throws RequirementsError with the fastest point when no rates meet the wish.
LatencyChoice rates_from_latency(RunContext& run, const PruneStage& stage, const ir::Graph& graph,
                                 const ir::Graph& image, const std::vector<prune::Layer>& layers);

}  // namespace xgen::cli
