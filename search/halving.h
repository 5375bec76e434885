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

struct Halving {
  int reduction = 3;  ///< the share 1 / reduction of a step's candidates may go on.
  int bootstrap = 0;  ///< candidates that begin the first step before any goes on.
  Objectives most;    ///< of each objective, that the last step may find; none: any.
};

struct Promotion {
  std::size_t step = 0;  ///< that is reached.
  Point point;
};

/// The next candidate that has earned a dearer evaluation: of those that one step rated, the best
/// ones, in whole candidates, but none that does not keep what is required. Later steps are asked
/// first.
///
/// The best are those on the first fronts. Of a front those go on that add the most hypervolume to
/// what the next step found of its candidates, as far as what a step finds can be foretold: by a
/// line, for each objective, through those that both steps rated. Ties go to the earlier. What is
/// foretold to be beyond the most that counts does not go on to the last step.
///
/// @param rated  trials that are finished, in the order of their numbers.
/// @param begun  candidates that have reached each step, finished or not, by step.
/// @return nothing where none is to go on yet.
///
/// Source: ASHA, Li et al., MLSys 2020 (arXiv:1810.05934); fronts as in NSGA-II.
std::optional<Promotion> next_promotion(const std::vector<Rated>& rated,
                                        const std::vector<std::vector<Point>>& begun,
                                        const Halving& halving);

}  // namespace xgen::search
