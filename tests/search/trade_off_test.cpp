#include "search/trade_off.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <set>

#include "search/pareto.h"

namespace xgen::search {
namespace {

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

// Eight decisions of four choices, each faster and more harmful than the one before; the last two
// decisions save hardly anything for as much harm.
constexpr int kDecisions = 8, kChoices = 4;
double time_of(std::size_t parameter, int choice) {
  return (parameter < 6 ? 1.0 : 0.01) * (4 - choice);
}

Problem problem() {
  Problem problem;
  for (int i = 0; i < kDecisions; ++i)
    problem.space.parameters.push_back({"p", std::vector<std::string>(kChoices, "c")});
  problem.known = [](const Point& point) {
    double time = 0;
    for (std::size_t p = 0; p < point.size(); ++p) time += time_of(p, point[p]);
    return Objectives{kUnknown, time};
  };
  for (int p = 0; p < kDecisions; ++p) problem.harm.push_back({0, 0.1, 0.3, 1.0 + 0.1 * p});
  return problem;
}

TEST(TradeOff, SumsTheHarmOfAllChoices) {
  Problem of = problem();
  EXPECT_DOUBLE_EQ(TradeOff(of).harm({0, 1, 2, 3, 0, 0, 0, 0}), 0.1 + 0.3 + 1.3);
  of.harm[2].clear();
  EXPECT_DOUBLE_EQ(TradeOff(of).harm({0, 1, 2, 3, 0, 0, 0, 0}), 0.1 + 1.3) << "one is not known";
}

TEST(TradeOff, IsThereWhereHarmAndSomethingElseAreKnown) {
  Problem of = problem();
  EXPECT_TRUE(TradeOff::is_known(of));
  of.known = [](const Point&) { return Objectives{kUnknown}; };
  EXPECT_FALSE(TradeOff::is_known(of));
  of = problem();
  of.harm.clear();
  EXPECT_FALSE(TradeOff::is_known(of));
}

// Of the time that is left, and the harm for it, draws are far better than points of the space.
TEST(TradeOff, DrawsWhatSavesMuchForLittleHarm) {
  const Problem of = problem();
  const TradeOff trade_off(of);
  RandomStream random = Random(1).stream("test");
  std::vector<Objectives> drawn, even;
  int spoilt = 0;
  for (int i = 0; i < 50; ++i) {
    const Point point = trade_off.draw(random), other = of.space.sample(random);
    drawn.push_back({trade_off.harm(point), of.known(point)[1]});
    even.push_back({trade_off.harm(other), of.known(other)[1]});
    spoilt += point[6] > 1;
  }
  EXPECT_GT(hypervolume(drawn, {4, 25}), 1.1 * hypervolume(even, {4, 25}));
  EXPECT_LT(spoilt, 15) << "pays only where everything else has been done";
  std::vector<double> times;
  for (const Objectives& o : drawn) times.push_back(o[1]);
  std::sort(times.begin(), times.end());
  EXPECT_LT(times.front(), 10) << "the fast end";
  EXPECT_GT(times.back(), 20) << "the accurate end";
}

TEST(TradeOff, KeepsConditionsAndDrawsChoicesWhoseHarmIsNotKnownEvenly) {
  Problem of = problem();
  of.harm[1].clear();
  // Where the first choice is the fastest one, the second is, too.
  of.space.conditions = {{{{0, {false, false, false, true}}}, {{1, {false, false, false, true}}}}};
  const TradeOff trade_off(of);
  RandomStream random = Random(1).stream("test");
  std::set<int> seen;
  for (int i = 0; i < 100; ++i) {
    const Point point = trade_off.draw(random);
    EXPECT_TRUE(of.space.contains(point));
    seen.insert(point[1]);
  }
  EXPECT_EQ(seen.size(), 4U);
}

}  // namespace
}  // namespace xgen::search
