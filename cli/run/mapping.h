#pragma once

#include <map>
#include <vector>

#include "cli/run/run_context.h"
#include "prune/layers.h"
#include "prune/rates.h"

namespace xgen::cli {

/// What is done to each layer, and why.
struct Mapping {
  prune::Rates rates;
  std::vector<prune::LayerRule> rules;  ///< schemes of the pruned layers, where they were chosen.
  std::map<std::string, double> harm;   ///< by weight: growth of the loss when it alone is pruned.
  nlohmann::json points;  ///< from no harm to the fastest: latency, size, harm, rates.
};

/// Chooses for each layer a rate, and where the stage's scheme is "auto" a scheme, such that the
/// network meets the requirements on latency and size_bytes_max, or divides the MACs of
/// convolutions by what the rates say, with the least harm: the time that generated kernels take,
/// against what a scan shows. The joint choice is looked at a second time, as layers that are
/// pruned together do other harm than alone. The chosen network is compiled and timed before it is
/// trained; where it differs from the prediction, the choice is made again.
///
/// @throws RequirementsError with the fastest point when nothing meets the wish.
Mapping map_layers(RunContext& run, const PruneStage& stage, const ir::Graph& graph,
                   const ir::Graph& image, const std::vector<prune::Layer>& layers);

/// The time that masks of a stage can save at most by a latency model, one image: every layer that
/// it may prune at the rate that is fastest.
double most_saved_us(const LatencyModel& model, const PruneStage& stage, const ir::Graph& image);

}  // namespace xgen::cli
