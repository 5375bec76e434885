#include "search/rank_correlation.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "core/error.h"

namespace xgen::search {
namespace {

TEST(SpearmanRho, IsThatOfSquaredRankDifferencesWithoutTies) {
  // Ranks 1 2 3 4 5 against 2 1 4 3 5: 1 - 6 * (1 + 1 + 1 + 1) / (5 * 24).
  EXPECT_DOUBLE_EQ(spearman_rho({1, 20, 300, 4000, 50000}, {7, 5, 9, 8, 11}), 0.8);
  EXPECT_DOUBLE_EQ(spearman_rho({1, 2, 3}, {1, 10, 100}), 1);
  EXPECT_DOUBLE_EQ(spearman_rho({1, 2, 3}, {3, 2, 1}), -1);
}

TEST(SpearmanRho, GivesEqualValuesTheMeanOfTheirRanks) {
  // Ranks 1, 2.5, 2.5, 4 against 1, 2, 3, 4: 4.5 / sqrt(4.5 * 5).
  EXPECT_DOUBLE_EQ(spearman_rho({1, 2, 2, 3}, {1, 2, 3, 4}), 4.5 / std::sqrt(22.5));
}

TEST(KendallTauB, CountsPairsThatAgree) {
  // Of ten pairs two are turned round.
  EXPECT_DOUBLE_EQ(kendall_tau_b({1, 20, 300, 4000, 50000}, {7, 5, 9, 8, 11}), 0.6);
  EXPECT_DOUBLE_EQ(kendall_tau_b({1, 2, 3}, {3, 2, 1}), -1);
}

TEST(KendallTauB, LeavesTiesOutOfBothSides) {
  // Of six pairs five agree and one is tied in a.
  EXPECT_DOUBLE_EQ(kendall_tau_b({1, 2, 2, 3}, {1, 2, 3, 4}), 5 / std::sqrt(5.0 * 6));
  // (1,1) (1,2) (2,2) (3,1): one pair agrees, two do not; one is tied in a, two in b.
  EXPECT_DOUBLE_EQ(kendall_tau_b({1, 1, 2, 3}, {1, 2, 2, 1}), (1 - 2) / std::sqrt(5.0 * 4));
}

TEST(RankCorrelation, RanksInfinitiesLikeOtherValues) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  EXPECT_DOUBLE_EQ(spearman_rho({-kInfinity, -5, kInfinity}, {1, 2, 3}), 1);
  EXPECT_DOUBLE_EQ(kendall_tau_b({-kInfinity, -kInfinity, 0}, {1, 1, 3}), 1);
}

TEST(RankCorrelation, IsNotANumberWhereAllAreEqual) {
  EXPECT_TRUE(std::isnan(spearman_rho({2, 2, 2}, {1, 2, 3})));
  EXPECT_TRUE(std::isnan(kendall_tau_b({1, 2, 3}, {2, 2, 2})));
}

TEST(RankCorrelation, RefusesWhatHasNoRank) {
  EXPECT_THROW(spearman_rho({1, 2}, {1, 2, 3}), InternalError);
  EXPECT_THROW(spearman_rho({1}, {1}), InternalError);
  EXPECT_THROW(kendall_tau_b({1, std::nan("")}, {1, 2}), InternalError);
}

}  // namespace
}  // namespace xgen::search
