#include "core/reference/integer.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "core/error.h"

namespace xgen::reference {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

TEST(Requantize, RoundsTiesToEven) {
  EXPECT_EQ(requantize(1, 0.5F, 10, {}), 10);
  EXPECT_EQ(requantize(3, 0.5F, 10, {}), 12);
  EXPECT_EQ(requantize(-1, 0.5F, 10, {}), 10);
  EXPECT_EQ(requantize(-3, 0.5F, 10, {}), 8);
}

TEST(Requantize, ClampsBeforeItConverts) {
  // Converted first, 2e9 * 2 would be INT_MIN.
  EXPECT_EQ(requantize(2000000000, 2.0F, 128, {}), 255);
  EXPECT_EQ(requantize(-2000000000, 2.0F, 128, {}), 0);
  EXPECT_EQ(requantize(100, 1.0F, 10, {10, 60}), 60);
  EXPECT_EQ(requantize(-100, 1.0F, 10, {10, 60}), 10);
}

TEST(Requantize, MultipliesScalesInDouble) {
  const float s_x = 0.1F;
  const float s_w = 0.3F;
  const float s_y = 0.7F;
  EXPECT_EQ(requantize_scale(s_x, s_w, s_y),
            static_cast<float>(double{s_x} * double{s_w} / double{s_y}));
  EXPECT_EQ(average_scale(0.5F, 0.25F, 64), 0.03125F);
}

TEST(ClipInterval, IsInQuantizedUnits) {
  EXPECT_EQ(clip_interval({}, 0.1F, 3), (QuantInterval{0, 255}));
  EXPECT_EQ(clip_interval({ir::Activation::Kind::clip, 0, kInfinity}, 0.1F, 3),
            (QuantInterval{3, 255}));
  EXPECT_EQ(clip_interval({ir::Activation::Kind::clip, 0, 6}, 0.1F, 3), (QuantInterval{3, 63}));
  EXPECT_EQ(clip_interval({ir::Activation::Kind::clip, -100, 100}, 0.1F, 3),
            (QuantInterval{0, 255}));
  EXPECT_THROW(clip_interval({ir::Activation::Kind::sigmoid}, 0.1F, 3), InternalError);
}

TEST(FixedPoint, AddsInFineSteps) {
  const float same = fixed_point_scale(0.5F, 0.5F);
  EXPECT_EQ(same, 65536.0F);
  const auto add = [&](std::uint8_t a, std::uint8_t b, std::int32_t zero) {
    return from_fixed_point(to_fixed_point(a, zero, same) + to_fixed_point(b, zero, same), zero,
                            {});
  };
  EXPECT_EQ(add(10, 20, 0), 30);
  EXPECT_EQ(add(200, 100, 0), 255);
  EXPECT_EQ(add(20, 30, 128), 0);
  EXPECT_EQ(add(120, 130, 128), 122);
  // 1/3 of a step is 21845.33 parts, rounded to 21845; the sum 43690 + 32768 >> 16 is one step.
  const float third = fixed_point_scale(1.0F, 3.0F);
  EXPECT_EQ(to_fixed_point(1, 0, third), 21845);
  EXPECT_EQ(from_fixed_point(43690, 0, {}), 1);
  EXPECT_EQ(from_fixed_point(32767, 0, {}), 0);
  EXPECT_EQ(from_fixed_point(-32769, 5, {}), 4);
}

TEST(FixedPoint, SaturatesWhereTheResultIsFarFiner) {
  const float coarse = fixed_point_scale(1e6F, 1.0F);
  EXPECT_EQ(coarse, 64.0F * 65536);
  const std::int32_t one = to_fixed_point(1, 0, coarse), all = to_fixed_point(255, 0, coarse);
  EXPECT_EQ(from_fixed_point(4 * one, 0, {}), 255);
  EXPECT_EQ(from_fixed_point(all + all, 0, {}), 255);
  EXPECT_EQ(from_fixed_point(-all - all, 9, {}), 0);
}

TEST(Rescale, KeepsBytesWhenScalesAreEqual) {
  for (int q = 0; q < 256; ++q)
    EXPECT_EQ(rescale(static_cast<std::uint8_t>(q), 77, rescale_factor(0.3F, 0.3F), 77), q);
  EXPECT_EQ(rescale(10, 0, rescale_factor(0.2F, 0.1F), 5), 25);
}

TEST(Quantize, SaturatesAndRoundsTiesToEven) {
  EXPECT_EQ(quantize(0.25F, 0.5F, 0), 0);
  EXPECT_EQ(quantize(0.75F, 0.5F, 0), 2);
  EXPECT_EQ(quantize(1e30F, 0.5F, 0), 255);
  EXPECT_EQ(quantize(-kInfinity, 0.5F, 100), 0);
  EXPECT_EQ(quantize(std::nanf(""), 0.5F, 100), 100);
  EXPECT_EQ(quantize_s8(-1e30F, 0.5F, 0), -128);
}

TEST(UnaryTable, AppliesTheFunctionToRealNumbers) {
  ir::Unary sigmoid;
  sigmoid.kind = ir::Unary::Kind::sigmoid;
  const ir::QuantParams x{{0.1F}, {128}, -1};
  const ir::QuantParams y{{1.0F / 256}, {0}, -1};
  const auto table = unary_table(sigmoid, x, y);
  EXPECT_EQ(table[128], 128);
  EXPECT_EQ(table[0], 0);
  EXPECT_EQ(table[255], 255);
  EXPECT_EQ(table[138], 187);  // 256 / (1 + exp(-1)) = 187.15
}

}  // namespace
}  // namespace xgen::reference
