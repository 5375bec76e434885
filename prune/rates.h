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
  double harm = 0;        ///< predicted, for example percentage points of accuracy; dense: 0.
};

/// What can be chosen for one layer.
struct RateTable {
  std::string weight;
  std::vector<RateOption> options;  ///< the first is dense.
};

/// A point on the way from dense to the wish.
struct RatePoint {
  double latency_us = 0;  ///< of the whole network.
  double harm = 0;        ///< sum over layers.
  Rates rates;            ///< layers that are not dense.
};

struct ChosenRates {
  bool feasible = false;
  Rates rates;                    ///< of the last point.
  std::vector<RatePoint> points;  ///< from dense on, each faster than the one before.
};

/// Meets a total latency with little harm: from dense on, the step with the most time won per harm
/// is taken until the wish is met. A step goes to any other option of a layer that is faster, so
/// an option that does not win time is never chosen. Ties go to the earlier layer and option.
///
/// When the wish cannot be met, `feasible` is false and the points, up to the fastest, remain.
///
/// @param fixed_latency_us  of everything that has no choice.
ChosenRates choose_rates(const std::vector<RateTable>& tables, double fixed_latency_us,
                         double latency_us_max);

}  // namespace xgen::prune
