#include "codegen/latency/l3_turnover.h"

#include <gtest/gtest.h>

namespace xgen::latency {
namespace {

TEST(HalfLife, LiesWhereReadsAreHalfwayBetweenTheFirstAndTheLast) {
  EXPECT_DOUBLE_EQ(half_life_us({{100, 10}, {200, 12}, {400, 24}, {800, 30}}),
                   200 + 200 * 8 / 12.0);
}

TEST(HalfLife, IsNothingWhereTheLastReadIsNotMuchSlower) {
  EXPECT_EQ(half_life_us({{100, 10}, {200, 11}, {400, 14}}), 0);
}

TEST(L3Turnover, IsNotLookedForWhereTheLastLevelIsNoLargerThanTheSecond) {
  EXPECT_EQ(measure_l3_turnover_us({32768, 1048576, 1048576, 0}), 0);
}

}  // namespace
}  // namespace xgen::latency
