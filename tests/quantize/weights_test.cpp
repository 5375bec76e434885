#include "quantize/weights.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "core/random.h"
#include "core/reference/integer.h"

namespace xgen::quantize {
namespace {

TEST(QuantizeWeights, ScalesEachChannelByItsLargestWeight) {
  const std::vector<float> weight{1.27F, -0.5F, 0.004F, -2.54F, 0.02F, 0};
  const QuantizedWeights q = quantize_weights(weight, std::vector<float>{0.05F, 0}, {2, 3}, {0.5F});
  EXPECT_EQ(q.scale, (std::vector<float>{1.27F / 127, 2.54F / 127}));
  EXPECT_EQ(q.values, (std::vector<std::int8_t>{127, -50, 0, -127, 1, 0}));
  EXPECT_EQ(q.bias, (std::vector<std::int32_t>{10, 0}));
  EXPECT_EQ(q.bound, (std::vector<std::int64_t>{255 * 177 + 10, 255 * 128}));
}

TEST(QuantizeWeights, FindsChannelsInTheLastDimension) {
  const std::vector<float> weight{1, 10, 0.5F, 10};  // [k = 2, n = 2]
  const QuantizedWeights q = quantize_weights(weight, {}, {2, 1}, {1});
  EXPECT_EQ(q.scale, (std::vector<float>{1.0F / 127, 10.0F / 127}));
  EXPECT_EQ(q.values, (std::vector<std::int8_t>{127, 127, 64, 127}));
}

TEST(QuantizeWeights, TakesAFilterOfZeros) {
  const QuantizedWeights q = quantize_weights(std::vector<float>(4, 0), {}, {1, 4}, {0.1F});
  EXPECT_EQ(q.scale[0], std::numeric_limits<float>::min());
  EXPECT_EQ(q.values, std::vector<std::int8_t>(4, 0));
}

TEST(QuantizeWeights, KeepsALargeBiasInRange) {
  const QuantizedWeights q =
      quantize_weights(std::vector<float>{1e-6F}, std::vector<float>{1000}, {1, 1}, {1e-3F});
  EXPECT_NEAR(q.bias[0], 1 << 30, 128);  // the scale is rounded to float
  EXPECT_FALSE(overflow(q));
}

TEST(WeightScale, GivesTheSameMultiplierInFloatAsInDouble) {
  RandomStream random = Random(2).stream("scale");
  const auto any = [&] { return static_cast<float>(std::exp(-12 + 16 * random.uniform())); };
  int others = 0;
  for (int i = 0; i < 10000; ++i) {
    const float s_x = any(), s_y = any(), largest = any();
    const float plain = weight_scale(largest, 0, {s_x}),
                scale = weight_scale(largest, 0, {s_x, s_y});
    const float product = s_x * scale, plain_product = s_x * plain;
    EXPECT_EQ(product / s_y, reference::requantize_scale(s_x, scale, s_y));
    EXPECT_GE(scale, plain);
    EXPECT_LE(scale, plain * 1.00001F);
    others += plain_product / s_y == reference::requantize_scale(s_x, plain, s_y) ? 0 : 1;
  }
  EXPECT_GT(others, 1000) << "scales that were left as they are: what this is for";
}

TEST(Overflow, NamesTheChannel) {
  const std::size_t inner = 70000;
  std::vector<float> weight(2 * inner, 1);
  for (std::size_t i = 0; i < inner; ++i) weight[i] = i == 0 ? 1.0F : 0.0F;
  EXPECT_EQ(overflow(quantize_weights(weight, {}, {2, inner}, {1})),
            "channel 1: 255 * sum |weight| + |bias| is 2266950000 steps, and int32 ends at "
            "2147483647");
}

}  // namespace
}  // namespace xgen::quantize
