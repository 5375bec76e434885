#include "core/reference/integer.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/reference/unary.h"

namespace xgen::reference {

namespace {

/// Far outside of every integer type in use, and exact in float.
constexpr float kHuge = 1e6F;

std::int32_t quantized_bound(float bound, float scale, std::int32_t zero_point) {
  const float steps = std::clamp(bound / scale, -kHuge, kHuge);
  return std::clamp(static_cast<std::int32_t>(std::nearbyint(steps)) + zero_point, 0, 255);
}

std::int32_t round_to_steps(float x, float scale) {
  const float steps = x / scale;
  if (std::isnan(steps)) return 0;
  return static_cast<std::int32_t>(std::nearbyint(std::clamp(steps, -kHuge, kHuge)));
}

}  // namespace

float requantize_scale(float s_x, float s_w, float s_y) {
  return static_cast<float>(static_cast<double>(s_x) * static_cast<double>(s_w) /
                            static_cast<double>(s_y));
}

float dequantize_scale(float s_x, float s_w) {
  return static_cast<float>(static_cast<double>(s_x) * static_cast<double>(s_w));
}

float average_scale(float s_x, float s_y, std::int64_t count) {
  return static_cast<float>(static_cast<double>(s_x) /
                            (static_cast<double>(s_y) * static_cast<double>(count)));
}

QuantInterval clip_interval(const ir::Activation& activation, float s_y, std::int32_t zero_point) {
  if (activation.kind == ir::Activation::Kind::none) return {};
  XGEN_CHECK(activation.kind == ir::Activation::Kind::clip,
             "only a clip is part of an integer epilogue, got kind ",
             static_cast<int>(activation.kind));
  const QuantInterval interval{quantized_bound(activation.low, s_y, zero_point),
                               quantized_bound(activation.high, s_y, zero_point)};
  return {std::min(interval.low, interval.high), interval.high};
}

std::uint8_t requantize(std::int32_t acc, float scale, std::int32_t zero_point,
                        QuantInterval interval) {
  const auto low = static_cast<float>(interval.low - zero_point);
  const auto high = static_cast<float>(interval.high - zero_point);
  const float steps = std::min(std::max(static_cast<float>(acc) * scale, low), high);
  return static_cast<std::uint8_t>(zero_point + static_cast<std::int32_t>(std::nearbyint(steps)));
}

float fixed_point_scale(float s_operand, float s_y) {
  constexpr double kMost = 64;
  const double ratio = static_cast<double>(s_operand) / static_cast<double>(s_y);
  return static_cast<float>(std::min(ratio, kMost) * (1 << kFixedPointBits));
}

std::int32_t to_fixed_point(std::uint8_t q, std::int32_t zero_point, float scale) {
  return static_cast<std::int32_t>(std::nearbyint(static_cast<float>(q - zero_point) * scale));
}

std::uint8_t from_fixed_point(std::int32_t sum, std::int32_t zero_point, QuantInterval interval) {
  const std::int32_t steps = (sum + (1 << (kFixedPointBits - 1))) >> kFixedPointBits;
  return static_cast<std::uint8_t>(
      zero_point + std::clamp(steps, interval.low - zero_point, interval.high - zero_point));
}

float rescale_factor(float s, float s_y) {
  return static_cast<float>(static_cast<double>(s) / static_cast<double>(s_y));
}

std::uint8_t rescale(std::uint8_t q, std::int32_t zero_point, float factor,
                     std::int32_t zero_point_y, QuantInterval interval) {
  return requantize(q - zero_point, factor, zero_point_y, interval);
}

std::uint8_t quantize(float x, float scale, std::int32_t zero_point) {
  return static_cast<std::uint8_t>(std::clamp(round_to_steps(x, scale) + zero_point, 0, 255));
}

std::int8_t quantize_s8(float x, float scale, std::int32_t zero_point) {
  return static_cast<std::int8_t>(std::clamp(round_to_steps(x, scale) + zero_point, -128, 127));
}

std::array<std::uint8_t, 256> unary_table(const ir::Unary& op, const ir::QuantParams& x,
                                          const ir::QuantParams& y) {
  std::array<std::uint8_t, 256> table{};
  for (int q = 0; q < 256; ++q) {
    const float real = x.scale.at(0) * static_cast<float>(q - x.zero_point.at(0));
    table.at(static_cast<std::size_t>(q)) =
        quantize(apply(op, real), y.scale.at(0), y.zero_point.at(0));
  }
  return table;
}

}  // namespace xgen::reference
