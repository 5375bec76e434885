#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace xgen::quantize {

/// Where the output channels of a stored weight are: element i belongs to i / inner % count.
struct Channels {
  std::size_t count = 1;
  std::size_t inner = 1;
  std::size_t of(std::size_t element) const { return element / inner % count; }
};

/// Weights and bias of a layer in integers. Real weight = scale[channel] * values, real bias =
/// s_x * scale[channel] * bias.
struct QuantizedWeights {
  std::vector<float> scale;         ///< of each output channel.
  std::vector<std::int8_t> values;  ///< in [-127, 127], stored as the weights are.
  std::vector<std::int32_t> bias;   ///< of each output channel, 0 where there is none.
  /// 255 * sum |values| + |bias| of each channel: no accumulator exceeds it.
  std::vector<std::int64_t> bound;
};

/// Scales of a layer's input and of its result; no s_y where the result stays f32.
struct LayerScales {
  float s_x = 1;
  std::optional<float> s_y = {};
};

/// max(max |w| / 127, |b| / (s_x 2^30), smallest normal number): the second keeps the bias in
/// int32. Then the next number above it for which s_x * s_w / s_y is the same in fp32 as in double:
/// a runtime that forms it in fp32 (ONNX Runtime does) multiplies accumulators by the same number
/// as our kernels. Otherwise it rounds a few results in a million the other way, and deep networks
/// multiply them.
float weight_scale(float largest_weight, float bias, const LayerScales& scales);

/// Quantizes a layer. Rounding is to nearest, ties to even; q = round(w / scale) as ONNX'
/// QuantizeLinear does, bias = round(double(b) / (double(s_x) * scale)).
///
/// @param bias  one per channel, or empty.
QuantizedWeights quantize_weights(std::span<const float> weight, std::span<const float> bias,
                                  const Channels& channels, const LayerScales& scales);

/// Why the layer cannot be computed in int32, naming the channel; nothing when it can.
std::optional<std::string> overflow(const QuantizedWeights& weights);

}  // namespace xgen::quantize
