#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/ir/graph.h"
#include "prune/config.h"

/// Channel pruning: a proposal of what to remove, applied at once as a rewrite to a smaller
/// network.
namespace xgen::prune {

/// What the filters of each weight score, by name of the weight.
using FilterScores = std::map<std::string, std::vector<double>>;

/// Channels that the same layers compute, and how many of them are left.
struct ThinnedGroup {
  std::vector<std::string> producers;  ///< nodes whose filters compute them.
  int channels = 0, kept = 0;
  std::string reason;  ///< why all of them stay; empty where some go.
};

struct ThinnedNetwork {
  ir::Graph graph;  ///< with shapes.
  /// Which filters stay, by name of the weight, of those that have lost some.
  std::map<std::string, std::vector<std::int64_t>> filters;
  std::vector<ThinnedGroup> groups;
  double conv_macs_divided_by = 1;
};

/// Removes the channels whose filters score least. `rates` of the config say how many: with
/// conv_macs_divided_by every group keeps the same share of its channels, or a lane more, as large
/// as the MACs allow, or, where the whole network is ranked, what scores most for its
/// multiply-adds; with per_layer the channels of the named layers are divided by that. What is
/// kept is a multiple of what a lane holds, so that nothing is computed in vain.
///
/// @param graph  with shapes, one image, before quantization and masks.
/// @param kept   nodes whose channels stay, for another reason than config.exclude.
/// @throws UserError when the rate cannot be reached, with the most that can.
ThinnedNetwork thin_channels(const ir::Graph& graph, const FilterScores& scores,
                             const PruneConfig& config, const std::set<std::string>& kept = {});

}  // namespace xgen::prune
