#include "codegen/latency/nnls.h"

#include <gmock/gmock.h>

#include "core/random.h"

namespace xgen::latency {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;

TEST(FitNonNegative, FindsTheFactorsThatMadeTheTargets) {
  RandomStream random = Random(1).stream("nnls");
  std::vector<std::vector<double>> rows;
  std::vector<double> targets;
  for (int i = 0; i < 50; ++i) {
    rows.push_back({1, 1000 * random.uniform(), random.uniform(), 0});
    targets.push_back(2 * rows.back()[0] + 0.003 * rows.back()[1] + 7 * rows.back()[2]);
  }
  EXPECT_THAT(fit_non_negative(rows, targets),
              ElementsAre(DoubleNear(2, 1e-9), DoubleNear(0.003, 1e-12), DoubleNear(7, 1e-8), 0));
}

TEST(FitNonNegative, GivesNoFactorBelowZero) {
  // Without the bound the first factor would be -1.
  const std::vector<double> factors =
      fit_non_negative({{1, 2}, {2, 3}, {1, 5}, {3, 4}}, {1, 1, 4, 1});
  EXPECT_EQ(factors[0], 0);
  // Then the second minimises the relative error: sum of a / sum of a^2, a = count / target.
  const double a[] = {2, 3, 1.25, 4};
  double sum = 0, squares = 0;
  for (const double v : a) sum += v, squares += v * v;
  EXPECT_NEAR(factors[1], sum / squares, 1e-12);
}

TEST(FitNonNegative, WeighsSmallTargetsLikeLargeOnes) {
  // 10 % off at 1 counts like 10 % off at 1000.
  const std::vector<double> factors = fit_non_negative({{1}, {1000}}, {1.1, 900});
  EXPECT_NEAR(factors[0], (1 / 1.1 + 1 / 0.9) / (1 / (1.1 * 1.1) + 1 / (0.9 * 0.9)), 1e-12);
}

TEST(FitNonNegative, StaysWithWhatIsExpectedWhereRowsDoNotTell) {
  // The second and third count are in no row, or always in one proportion with the first.
  const std::vector<std::vector<double>> rows = {{1, 0, 2}, {2, 0, 4}, {5, 0, 10}};
  const std::vector<double> targets = {7, 14, 35};
  EXPECT_THAT(fit_non_negative(rows, targets, {{1, 4, 3}, 0.01}),
              ElementsAre(DoubleNear(1, 1e-9), DoubleNear(4, 1e-9), DoubleNear(3, 1e-9)));
  // What rows tell counts for more than what is expected.
  const std::vector<double> factors = fit_non_negative(rows, targets, {{2, 4, 6}, 0.01});
  EXPECT_NEAR(factors[0] + 2 * factors[2], 7, 0.05);
  EXPECT_NEAR(factors[1], 4, 1e-9);
}

}  // namespace
}  // namespace xgen::latency
