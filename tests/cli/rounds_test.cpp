#include "cli/run/rounds.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace xgen::cli {
namespace {

using nlohmann::json;

json row(const char* name, double wanted, double got) {
  return {{"name", name}, {"wanted", wanted}, {"got", got}, {"met", got <= wanted}};
}

const Goal kGoal{4.0, 1000.0};

TEST(Rounds, AimTighterByWhatWasMissed) {
  const auto next =
      next_goal(kGoal, json{row("latency_ms_max", 4, 5), row("size_bytes_max", 1000, 900)});
  ASSERT_TRUE(next);
  EXPECT_NEAR(*next->latency_ms, 4 * 0.8, 0.05);
  EXPECT_LT(*next->latency_ms, 4 * 0.8);
  EXPECT_EQ(*next->size_bytes, 1000);
}

TEST(Rounds, GiveBackWhatIsFasterThanAsked) {
  const Goal tight{3.2, 1000.0};
  const auto next =
      next_goal(tight, json{row("accuracy_drop_max", 0.5, 0.8), row("latency_ms_max", 4, 3.2)});
  ASSERT_TRUE(next);
  EXPECT_NEAR(*next->latency_ms, 4, 1e-9);
}

TEST(Rounds, AimTighterByAShareOfTheDenseNetwork) {
  const auto next = next_goal({{}, {}, 0.5}, json{row("latency_share_max", 0.5, 0.625)});
  ASSERT_TRUE(next);
  EXPECT_NEAR(*next->latency_share, 0.4, 0.005);
  EXPECT_LT(*next->latency_share, 0.4);
  EXPECT_FALSE(next->latency_ms || next->size_bytes);
  EXPECT_FALSE(next_goal({{}, {}, 0.5}, json{row("latency_share_max", 0.5, 0.5)}));
}

TEST(Rounds, EndWhereAllIsMet) {
  EXPECT_FALSE(
      next_goal(kGoal, json{row("accuracy_drop_max", 0.5, 0.4), row("latency_ms_max", 4, 3)}));
  EXPECT_FALSE(next_goal(kGoal, json::array()));
}

TEST(Rounds, EndWhereRequirementsContradictEachOther) {
  EXPECT_FALSE(
      next_goal(kGoal, json{row("accuracy_drop_max", 0.5, 0.8), row("latency_ms_max", 4, 5)}));
  // Nothing to give back.
  EXPECT_FALSE(
      next_goal(kGoal, json{row("accuracy_drop_max", 0.5, 0.8), row("latency_ms_max", 4, 3.99)}));
}

}  // namespace
}  // namespace xgen::cli
