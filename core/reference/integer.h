#pragma once

#include <array>
#include <cstdint>

#include "core/ir/ops.h"

/// The integer semantics of DESIGN section 6, written down once: the reference, the code generators
/// and their tests share these functions. No floating-point addition occurs here, so that
/// contraction to fused multiply-add cannot change a bit. Rounding is to nearest, ties to even.
namespace xgen::reference {

/// What a u8 result may be, both ends included.
struct QuantInterval {
  std::int32_t low = 0;
  std::int32_t high = 255;
  friend bool operator==(const QuantInterval&, const QuantInterval&) = default;
};

/// float(double(s_x) * s_w / s_y): from the accumulator to steps of y.
float requantize_scale(float s_x, float s_w, float s_y);

/// float(double(s_x) * s_w): from the accumulator to a real number, where the result stays f32.
float dequantize_scale(float s_x, float s_w);

/// float(double(s_x) / (s_y * count)): from a sum of `count` elements to steps of y.
float average_scale(float s_x, float s_y, std::int64_t count);

/// Narrows 0..255 by a clip; @throws InternalError for another activation.
QuantInterval clip_interval(const ir::Activation& activation, float s_y, std::int32_t zero_point);

/// zp + int(round_half_even(min(max(float(acc) * scale, low - zp), high - zp))).
std::uint8_t requantize(std::int32_t acc, float scale, std::int32_t zero_point,
                        QuantInterval interval);

/// Sums are formed in steps of 2^-16 of y: of a million, about 5 are rounded otherwise than exact
/// sums would be. (With 1/64 it was 5,000, which changed 0.5 % of a ResNet-20's predictions; with
/// 1/4096 80, and 0.3 %.)
inline constexpr int kFixedPointBits = 16;

/// float(min(double(s_operand) / s_y, 64) * 2^16), so that two operands fit into 32 bits. Where one
/// step of an operand is 64 of y, y saturates in any case.
float fixed_point_scale(float s_operand, float s_y);

/// round_half_even(float(q - zero_point) * scale).
std::int32_t to_fixed_point(std::uint8_t q, std::int32_t zero_point, float scale);

/// zp + clamp((sum + 32768) >> 16, low - zp, high - zp).
std::uint8_t from_fixed_point(std::int32_t sum, std::int32_t zero_point, QuantInterval interval);

/// float(double(s) / s_y): for operands which only change their scale (concat).
float rescale_factor(float s, float s_y);

/// zp_y + clamp(round_half_even(float(q - zp) * factor), low - zp_y, high - zp_y).
std::uint8_t rescale(std::uint8_t q, std::int32_t zero_point, float factor,
                     std::int32_t zero_point_y, QuantInterval interval = {});

/// saturate(round_half_even(x / scale) + zero_point) to u8, as ONNX' QuantizeLinear. NaN gives the
/// zero point.
std::uint8_t quantize(float x, float scale, std::int32_t zero_point);
/// The same to s8.
std::int8_t quantize_s8(float x, float scale, std::int32_t zero_point);

/// A function of u8 as a table: entry q is quantize(f(s_x * (q - zp_x)), s_y, zp_y).
/// @param x, y  per-tensor parameters.
std::array<std::uint8_t, 256> unary_table(const ir::Unary& op, const ir::QuantParams& x,
                                          const ir::QuantParams& y);

}  // namespace xgen::reference
