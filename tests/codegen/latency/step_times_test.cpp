#include "codegen/latency/step_times.h"

#include <gtest/gtest.h>

#include <limits>

#include "codegen/compile.h"
#include "codegen/latency/single_layer.h"
#include "codegen/lower/lower.h"
#include "codegen/targets.h"

namespace xgen {
namespace {

TEST(TimeSteps, GivesEachStepOfEachModelATimeThatFollowsItsWork) {
  const auto timed = [](int channels) {
    return TimedModel(lower::lower(
        latency::single_layer(latency::square_layer(channels, channels, 3, 28, false), {}),
        lowering_for(find_target("host"))));
  };
  TimedModel small = timed(8), large = timed(64);
  int rounds = 0;
  const std::vector<StepTimes> times = time_steps({&small, &large}, 5, 5, [&] { ++rounds; });
  EXPECT_EQ(rounds, 5);
  ASSERT_EQ(times.size(), 2U);
  for (const StepTimes& t : times) {
    ASSERT_EQ(t.step_us.size(), 3U);  // pack, convolve, unpack
    for (const double us : t.step_us) EXPECT_GT(us, 0);
  }
  // 64 times as many products.
  EXPECT_GT(times[1].step_us[1], 4 * times[0].step_us[1]);
}

TEST(StepTurns, TheLeastTurnCounts) {
  TimedModel model(
      lower::lower(latency::single_layer(latency::square_layer(32, 32, 3, 28, false), {}),
                   lowering_for(find_target("host"))));
  StepTurns turns(model);
  EXPECT_FALSE(turns.is_settled());
  double before = std::numeric_limits<double>::infinity();
  for (int i = 0; i < 8; ++i) {
    turns.take();
    EXPECT_LE(turns.least().run_us, before);
    before = turns.least().run_us;
  }
}

TEST(StepTurns, ThreeThatAgreeSettleIt) {
  EXPECT_FALSE(least_agree({}));
  EXPECT_FALSE(least_agree({100, 100}));
  EXPECT_TRUE(least_agree({150, 101, 100, 170, 102, 130}));
  EXPECT_FALSE(least_agree({150, 101, 100, 170, 103, 130}));
}

}  // namespace
}  // namespace xgen
