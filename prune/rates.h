#pragma once

#include <map>
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
/// each layer reaches with them.
///
/// A fully connected layer which computes an output of the network stays dense: it has few MACs and
/// does much harm.
///
/// @throws UserError when the layers that stay dense forbid it, with the most that can be reached.
Rates uniform_rates(const std::vector<Layer>& layers, double divided_by, const PruneConfig& config);

/// Rates as listed. Keys are node names, weight names or globs of them; an exact name goes before a
/// glob. @throws UserError for a key which matches nothing, or names a layer that cannot be pruned.
Rates listed_rates(const std::vector<Layer>& layers, const std::map<std::string, double>& listed);

/// One way to run a layer.
struct RateOption {
  double rate = 1;        ///< 1: dense.
  double latency_us = 0;  ///< measured or predicted.
  double conv_macs = 0;   ///< 0 for what is no convolution.
  double harm = 0;        ///< predicted, for example percentage points of accuracy; dense: 0.
};

/// What can be chosen for one layer.
struct RateTable {
  std::string weight;
  std::vector<RateOption> options;  ///< the first is dense.
};

/// A trade that no other one beats in latency and harm.
struct RatePoint {
  double latency_us = 0;                       ///< of the whole network.
  double harm = 0;                             ///< sum over layers.
  Rates rates;                                 ///< layers that are not dense.
  std::map<std::string, std::size_t> options;  ///< of the same layers, into their tables.
};

/// What must not be exceeded.
struct Budget {
  enum class Of { latency_us, conv_macs } of = Of::latency_us;
  double most = 0;
};

struct ChosenRates {
  bool feasible = false;
  RatePoint chosen;               ///< where not feasible, the fastest point.
  std::vector<RatePoint> points;  ///< a selection from the one without harm to the fastest.
};

/// Meets a budget with the least harm, summed over layers: a multiple-choice knapsack
/// problem, solved exactly for small networks and nearly for large ones (knapsack.h). An option
/// that wins no time is never chosen.
///
/// @param fixed_latency_us  of everything that has no choice.
/// @param budget            of the whole network for latency, of the tables for MACs.
ChosenRates choose_rates(const std::vector<RateTable>& tables, double fixed_latency_us,
                         const Budget& budget);

}  // namespace xgen::prune
