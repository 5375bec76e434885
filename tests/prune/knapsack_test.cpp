#include "prune/knapsack.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <random>

namespace xgen::prune {
namespace {

std::vector<std::vector<Choice>> random_groups(int count, int choices, unsigned seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<double> unit(0, 1);
  std::vector<std::vector<Choice>> groups(static_cast<std::size_t>(count));
  for (auto& group : groups) {
    const double size = 10 + 90 * unit(random), weight = unit(random);
    for (int c = 0; c < choices; ++c) {
      const double share = 1 - static_cast<double>(c) / choices * (0.8 + 0.2 * unit(random));
      group.push_back({size * share, weight * (1 - share) * (1 + unit(random))});
    }
  }
  return groups;
}

// The least harm within a budget, of all combinations.
double exhaustive(const std::vector<std::vector<Choice>>& groups, double budget,
                  std::size_t g = 0) {
  if (g == groups.size()) return budget >= 0 ? 0 : std::numeric_limits<double>::infinity();
  double best = std::numeric_limits<double>::infinity();
  for (const Choice& c : groups[g])
    best = std::min(best, c.harm + exhaustive(groups, budget - c.cost, g + 1));
  return best;
}

TEST(Knapsack, FindsTheBestOfAllCombinations) {
  for (unsigned seed = 0; seed < 10; ++seed) {
    const auto groups = random_groups(6, 5, seed);
    const ChoiceFront front = best_choices(groups);
    EXPECT_EQ(front.excess_harm, 0);
    double all = 0;
    for (const auto& group : groups) all += group.front().cost;
    for (const double share : {0.3, 0.45, 0.6, 0.8, 1.0}) {
      const ChoicePoint* point = front.within(share * all);
      const double want = exhaustive(groups, share * all);
      if (point == nullptr) {
        EXPECT_EQ(want, std::numeric_limits<double>::infinity());
        continue;
      }
      EXPECT_NEAR(point->harm, want, 1e-9);
      double cost = 0, harm = 0;
      for (std::size_t g = 0; g < groups.size(); ++g) {
        const Choice& c = groups[g][static_cast<std::size_t>(point->choices[g])];
        cost += c.cost;
        harm += c.harm;
      }
      EXPECT_NEAR(cost, point->cost, 1e-9);
      EXPECT_NEAR(harm, point->harm, 1e-9);
      EXPECT_LE(cost, share * all);
    }
  }
}

TEST(Knapsack, SaysHowNearItIsWhereThereAreTooManyCombinations) {
  const auto groups = random_groups(12, 6, 3);
  const ChoiceFront exact = best_choices(groups, 1'000'000), near = best_choices(groups, 200);
  EXPECT_EQ(exact.excess_harm, 0);
  EXPECT_GT(near.excess_harm, 0);
  EXPECT_LT(near.points.size(), exact.points.size());
  double worst = 0;
  for (const ChoicePoint& point : exact.points) {
    const ChoicePoint* found = near.within(point.cost);
    ASSERT_NE(found, nullptr);
    worst = std::max(worst, found->harm - point.harm);
  }
  EXPECT_LE(worst, near.excess_harm + 1e-12);
  EXPECT_GT(worst, 0);
}

TEST(Knapsack, GivesTiesToTheFirstChoice) {
  const ChoiceFront front = best_choices({{{1, 0}, {1, 0}, {2, 0}}});
  ASSERT_EQ(front.points.size(), 1U);
  EXPECT_EQ(front.points[0].choices, std::vector<int>{0});
  EXPECT_EQ(front.within(0.5), nullptr);
}

}  // namespace
}  // namespace xgen::prune
