#include "search/space.h"

#include <gtest/gtest.h>

#include <set>

namespace xgen::search {
namespace {

const Space& space() {
  static const Space space = {"s", {{"a", {"0", "1", "2"}}, {"b", {"only"}}, {"c", {"x", "y"}}}};
  return space;
}

TEST(Space, DrawsEveryPoint) {
  RandomStream random = Random(1).stream("points");
  std::set<Point> seen;
  for (int i = 0; i < 200; ++i) {
    seen.insert(space().sample(random));
    EXPECT_TRUE(space().contains(*seen.rbegin()));
  }
  EXPECT_EQ(seen.size(), 6u);
  EXPECT_EQ(space().size(), 6);
}

TEST(Space, MutatesOneChoiceThatHasAnother) {
  RandomStream random = Random(1).stream("mutants");
  std::set<Point> seen;
  for (int i = 0; i < 200; ++i) seen.insert(space().mutate({1, 0, 0}, random));
  EXPECT_EQ(seen, (std::set<Point>{{0, 0, 0}, {2, 0, 0}, {1, 0, 1}}));
  const Space fixed = {"fixed", {{"a", {"only"}}}};
  EXPECT_EQ(fixed.mutate({0}, random), Point{0});
}

TEST(Space, KnowsItsPoints) {
  EXPECT_FALSE(space().contains({0, 0}));
  EXPECT_FALSE(space().contains({3, 0, 0}));
  EXPECT_FALSE(space().contains({0, 0, -1}));
}

}  // namespace
}  // namespace xgen::search
