#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "prune/config.h"
#include "prune/layers.h"

namespace xgen::prune {

/// The rate of each layer that is to be pruned, by name of its weight: what its MACs are divided
/// by.
using Rates = std::map<std::string, double>;

/// One rate for all prunable layers, such that the MACs of all convolutions, the dense ones
/// included, are divided by at least `divided_by`. Whole blocks are counted, and the rates are what
/// each layer reaches with them: where a scheme has few steps (N of M), the first layers keep a
/// step more, as many as the wish leaves room for.
///
/// A fully connected layer which computes an output of the network stays dense: it has few MACs and
/// does much harm.
///
/// @throws UserError when the layers that stay dense forbid it, with the most that can be reached.
Rates uniform_rates(const std::vector<Layer>& layers, double divided_by, const PruneConfig& config);

/// Rates as listed. Keys are node names, weight names or globs of them; an exact name goes before a
/// glob. A glob asks of each layer as much as it can do.
///
/// @throws UserError for a key which matches nothing, or names a layer that cannot be pruned or by
/// its scheme not so far that it keeps what every group of filters needs, and for two keys of one
/// kind with different rates for a layer.
Rates listed_rates(const std::vector<Layer>& layers, const std::map<std::string, double>& listed,
                   const PruneConfig& config);

/// What a choice costs.
struct Cost {
  double latency_us = 0;  ///< measured or predicted.
  double conv_macs = 0;   ///< 0 for what is no convolution.
  double bytes = 0;       ///< of the stored weights with their lists.

  Cost& operator+=(const Cost& other);
};

/// One way to run a layer.
struct RateOption {
  double rate = 1;  ///< 1: dense.
  Cost cost;
  double harm = 0;  ///< predicted, for example growth of the loss; dense: 0.
};

/// What can be chosen for one layer.
struct RateTable {
  std::string weight;
  std::vector<RateOption> options;  ///< the first is dense.
};

/// One choice for all layers.
struct RatePoint {
  Cost cost;                                   ///< of the whole network.
  double harm = 0;                             ///< sum over layers.
  Rates rates;                                 ///< layers that are not dense.
  std::map<std::string, std::size_t> options;  ///< of the same layers, into their tables.
};

/// What the whole network must not exceed.
struct Limit {
  double Cost::*of = &Cost::latency_us;
  double most = 0;
};

struct ChosenRates {
  bool feasible = false;
  RatePoint chosen;  ///< where not feasible, the least of what cannot be met.
  /// Where not feasible: which limit cannot be met; nothing where each could be alone.
  std::optional<std::size_t> binding;
  /// How much less harm there could be within the limits, at most; 0 when the choice is the best.
  double excess_harm = 0;
  std::vector<RatePoint> points;  ///< a selection from the one without harm to the cheapest.
};

/// Meets limits with the least harm, summed over layers: a multiple-choice knapsack problem
/// (knapsack.h). One limit is met exactly or nearly so; several are weighed against each other, and
/// the weights that leave the least harm win: what any weighing says of harm bounds it from below
/// (Lagrangian relaxation). An option that wins no time is never chosen.
///
/// @param fixed   what everything costs that has no choice.
/// @param limits  at least one; `points` trade harm for the first.
ChosenRates choose_rates(const std::vector<RateTable>& tables, const Cost& fixed,
                         const std::vector<Limit>& limits);

}  // namespace xgen::prune
