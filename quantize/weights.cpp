#include "quantize/weights.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>

#include "core/error.h"
#include "core/reference/integer.h"

namespace xgen::quantize {

namespace {

// About every second number will do.
constexpr int kMostTries = 64;

bool same_in_float(float s_x, float s_w, float s_y) {
  const float product = s_x * s_w;
  return product / s_y == reference::requantize_scale(s_x, s_w, s_y);
}

}  // namespace

float weight_scale(float largest_weight, float bias, const LayerScales& scales) {
  const float least =
      std::max({largest_weight / 127.0F, std::abs(bias) / (scales.s_x * 1073741824.0F),
                std::numeric_limits<float>::min()});
  if (!scales.s_y) return least;
  float scale = least;
  for (int i = 0; i < kMostTries; ++i) {
    if (same_in_float(scales.s_x, scale, *scales.s_y)) return scale;
    scale = std::nextafter(scale, std::numeric_limits<float>::max());
  }
  return least;  // products of numbers so small that they have few bits
}

QuantizedWeights quantize_weights(std::span<const float> weight, std::span<const float> bias,
                                  const Channels& channels, const LayerScales& scales) {
  XGEN_CHECK(bias.empty() || bias.size() == channels.count, bias.size(), " biases for ",
             channels.count, " channels");
  QuantizedWeights q;
  std::vector<float> largest(channels.count, 0.0F);
  for (std::size_t i = 0; i < weight.size(); ++i) {
    float& most = largest[channels.of(i)];
    most = std::max(most, std::abs(weight[i]));
  }
  q.bias.assign(channels.count, 0);
  q.bound.assign(channels.count, 0);
  for (std::size_t c = 0; c < channels.count; ++c) {
    const float b = bias.empty() ? 0.0F : bias[c];
    q.scale.push_back(weight_scale(largest[c], b, scales));
    const double steps = std::nearbyint(static_cast<double>(b) / (static_cast<double>(scales.s_x) *
                                                                  static_cast<double>(q.scale[c])));
    q.bias[c] = static_cast<std::int32_t>(std::clamp(steps, -2147483647.0, 2147483647.0));
    q.bound[c] = std::abs(static_cast<std::int64_t>(q.bias[c]));
  }
  q.values.reserve(weight.size());
  for (std::size_t i = 0; i < weight.size(); ++i) {
    const std::size_t c = channels.of(i);
    const float steps = std::nearbyint(weight[i] / q.scale[c]);
    q.values.push_back(static_cast<std::int8_t>(std::clamp(steps, -127.0F, 127.0F)));
    q.bound[c] += 255 * std::abs(static_cast<std::int64_t>(q.values.back()));
  }
  return q;
}

std::optional<std::string> overflow(const QuantizedWeights& weights) {
  constexpr std::int64_t kLimit = std::int64_t{1} << 31;
  for (std::size_t c = 0; c < weights.bound.size(); ++c) {
    if (weights.bound[c] < kLimit) continue;
    return str("channel ", c, ": 255 * sum |weight| + |bias| is ", weights.bound[c],
               " steps, and int32 ends at 2147483647");
  }
  return {};
}

}  // namespace xgen::quantize
