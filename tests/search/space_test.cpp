#include "search/space.h"

#include <gtest/gtest.h>

#include <set>

#include "core/error.h"

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

// Where a is "0", c is "y"; where c is "y", d is "1"; d has nine choices.
const Space& bound() {
  static const Space bound = [] {
    Space s = space();
    s.parameters.push_back({"d", {"0", "1", "2", "3", "4", "5", "6", "7", "8"}});
    std::vector<bool> one(9, false);
    one[1] = true;
    s.conditions = {{{{0, {true, false, false}}}, {{2, {false, true}}}},
                    {{{2, {false, true}}}, {{3, one}}}};
    return s;
  }();
  return bound;
}

TEST(Space, DrawsOnlyWhatKeepsTheConditions) {
  RandomStream random = Random(1).stream("points");
  std::set<Point> seen;
  for (int i = 0; i < 2000; ++i) {
    const Point point = bound().sample(random);
    EXPECT_TRUE(bound().contains(point));
    seen.insert(point);
  }
  EXPECT_EQ(seen.size(), 3u + 2u * 9u);  // c = "y": each a; c = "x": a = "1" or "2", each d
  EXPECT_FALSE(bound().contains({0, 0, 0, 1}));
  EXPECT_FALSE(bound().contains({1, 0, 1, 2}));
}

TEST(Space, MutationChangesWhatConditionsAskForAsWell) {
  RandomStream random = Random(1).stream("mutants");
  std::set<Point> seen;
  for (int i = 0; i < 500; ++i) {
    seen.insert(bound().mutate({1, 0, 0, 5}, random));
    EXPECT_TRUE(bound().contains(*seen.rbegin()));
  }
  EXPECT_EQ(seen.count({0, 0, 1, 1}), 1u) << "a = \"0\" takes c and d along";
  EXPECT_EQ(seen.count({1, 0, 0, 5}), 0u);
  // One choice of one parameter is left.
  Space tight = space();
  tight.conditions = {{{}, {{0, {false, true, false}}, {2, {true, false}}}}};
  EXPECT_EQ(tight.mutate({1, 0, 0}, random), (Point{1, 0, 0}));
  EXPECT_EQ(tight.sample(random), (Point{1, 0, 0}));
}

TEST(Space, SolvesConditionsThatFewPointsKeep) {
  // Twenty parameters in a chain: each takes what the one before it has, and the last is "9".
  Space chain{"chain", {}};
  std::vector<std::string> digits;
  for (int i = 0; i < 10; ++i) digits.push_back(std::to_string(i));
  for (int i = 0; i < 20; ++i) chain.parameters.push_back({str("p", i), digits});
  const auto only = [](std::size_t parameter, std::size_t choice) {
    Clause clause{parameter, std::vector<bool>(10, false)};
    clause.holds[choice] = true;
    return clause;
  };
  for (std::size_t i = 1; i < 20; ++i) {
    for (std::size_t c = 0; c < 10; ++c)
      chain.conditions.push_back({{only(i - 1, c)}, {only(i, c)}});
  }
  chain.conditions.push_back({{}, {only(19, 9)}});
  RandomStream random = Random(1).stream("chain");
  EXPECT_EQ(chain.sample(random), Point(20, 9));
  EXPECT_EQ(chain.repaired(Point(20, 0), {only(3, 4)}, random), std::nullopt);
}

}  // namespace
}  // namespace xgen::search
