#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "search/pareto.h"
#include "search/space.h"

namespace xgen::search {

/// What successive halving knows of a trial that ended.
struct Rated {
  std::size_t step = 0;
  const Point* point = nullptr;
  const Objectives* objectives = nullptr;
  bool may_go_on = true;  ///< false where it was found not to keep what is required.
};

struct Promotion {
  std::size_t step = 0;  ///< that is reached.
  Point point;
};

/// The next candidate that has earned a dearer evaluation: of those that one step rated, the best
/// share 1 / reduction, in whole candidates, may go on, but none that does not keep what is
/// required. Later steps are asked first. The best are
/// those on the first fronts, and of a front those that add the most hypervolume to those of it
/// that go before, in ranks, up to a tenth beyond the worst; ties go to the earlier.
///
/// @param rated  trials that are finished, in the order of their numbers.
/// @param begun  candidates that have reached each step, finished or not, by step.
/// @return nothing where none is to go on yet.
///
/// Source: ASHA, Li et al., MLSys 2020 (arXiv:1810.05934); fronts as in NSGA-II.
std::optional<Promotion> next_promotion(const std::vector<Rated>& rated,
                                        const std::vector<std::vector<Point>>& begun,
                                        int reduction);

}  // namespace xgen::search
