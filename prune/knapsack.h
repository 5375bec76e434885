#pragma once

#include <cstddef>
#include <vector>

namespace xgen::prune {

/// One way to have one thing.
struct Choice {
  double cost = 0;
  double harm = 0;
};

/// One choice for everything.
struct ChoicePoint {
  double cost = 0;
  double harm = 0;
  std::vector<int> choices;  ///< of each group, as indices.
};

/// All that is worth having.
struct ChoiceFront {
  /// From the least cost on, each with less harm than the one before.
  std::vector<ChoicePoint> points;
  /// For any budget, the point within it with the least harm has at most so much more than the best
  /// of all combinations. 0: exact.
  double excess_harm = 0;

  /// The point with the least harm whose cost is at most `budget`; null when there is none.
  const ChoicePoint* within(double budget) const;
};

/// The multiple-choice knapsack problem for all budgets at once: one choice of each group, sums of
/// cost and harm, and every combination that no other one beats in both. Combinations are extended
/// group by group, and those that are beaten are dropped; where more than `most` are left, ones
/// that are nearly alike are, too, and the result says what that can cost.
///
/// @param groups  none empty.
ChoiceFront best_choices(const std::vector<std::vector<Choice>>& groups, std::size_t most = 4000);

}  // namespace xgen::prune
