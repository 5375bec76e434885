#include "search/pareto.h"

#include <gtest/gtest.h>

#include <limits>

#include "core/random.h"

namespace xgen::search {
namespace {

TEST(Dominates, NeedsToBeNowhereWorseAndSomewhereBetter) {
  EXPECT_TRUE(dominates({1, 2}, {1, 3}));
  EXPECT_FALSE(dominates({1, 2}, {1, 2}));
  EXPECT_FALSE(dominates({1, 3}, {2, 2}));
}

TEST(FrontsOf, PeelsOneFrontAfterTheOther) {
  EXPECT_EQ(fronts_of({{1, 4}, {2, 2}, {4, 1}, {2, 4}, {3, 3}, {5, 5}}),
            (std::vector<std::size_t>{0, 0, 0, 1, 1, 2}));
  EXPECT_EQ(fronts_of({{1, 1}, {1, 1}}), (std::vector<std::size_t>{0, 0}));
  EXPECT_TRUE(fronts_of({}).empty());
}

TEST(CrowdingDistances, AreInfiniteAtTheEndsAndSharesOfTheExtentBetween) {
  const double end = std::numeric_limits<double>::infinity();
  EXPECT_EQ(crowding_distances({{0, 10}, {1, 5}, {10, 0}}),
            (std::vector<double>{end, 1.0 + 1.0, end}));
  EXPECT_TRUE(crowding_distances({}).empty());
}

TEST(Hypervolume, IsTheAreaUnderAStaircase) {
  EXPECT_EQ(hypervolume({{1, 3}, {2, 2}, {3, 1}}, {4, 4}), 3 + 2 + 1);
  // Dominated ones and those beyond the reference add nothing.
  EXPECT_EQ(hypervolume({{1, 3}, {2, 2}, {3, 1}, {3, 3}, {0, 4}, {5, 0}}, {4, 4}), 6);
  EXPECT_EQ(hypervolume({{1, 1}, {1, 1}}, {2, 2}), 1);
  EXPECT_EQ(hypervolume({{3}, {1}}, {4}), 3);
  EXPECT_EQ(hypervolume({}, {1, 1}), 0);
}

TEST(Hypervolume, AgreesWithCountedCellsInThreeObjectives) {
  RandomStream random = Random(1).stream("cells");
  constexpr int kExtent = 8;
  for (int round = 0; round < 20; ++round) {
    std::vector<Objectives> points(6);
    for (Objectives& p : points) {
      for (int k = 0; k < 3; ++k) p.push_back(static_cast<double>(random.integer(0, kExtent)));
    }
    double cells = 0;
    for (int cell = 0; cell < kExtent * kExtent * kExtent; ++cell) {
      const int at[] = {cell % kExtent, cell / kExtent % kExtent, cell / kExtent / kExtent};
      bool covered = false;
      for (const Objectives& p : points)
        covered = covered || (p[0] <= at[0] && p[1] <= at[1] && p[2] <= at[2]);
      cells += covered ? 1 : 0;
    }
    EXPECT_EQ(hypervolume(points, {kExtent, kExtent, kExtent}), cells);
  }
}

TEST(ReferenceBeyond, IsATenthOfTheRangeBeyondTheWorst) {
  EXPECT_EQ(reference_beyond({{0, 5}, {10, 5}, {4, 5}}), (Objectives{11, 6}));
}

}  // namespace
}  // namespace xgen::search
