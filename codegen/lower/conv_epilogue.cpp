#include "codegen/lower/conv_epilogue.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/reference/integer.h"

namespace xgen::lower {

Clip clip_of(const ir::Activation& a) {
  if (a.kind == ir::Activation::Kind::clip) return {a.low, a.high};
  return {};
}

Clip integer_clip(const ir::Activation& a, const ScaleZero& y) {
  const bool clips = a.kind == ir::Activation::Kind::clip || a.kind == ir::Activation::Kind::none;
  const reference::QuantInterval q =
      clips ? reference::clip_interval(a, y.scale, y.zero) : reference::QuantInterval{};
  return {static_cast<float>(q.low - y.zero), static_cast<float>(q.high - y.zero)};
}

void check_integer_activation(const ir::Node& node, const ir::Activation& a) {
  XGEN_CHECK(a.kind == ir::Activation::Kind::none || a.kind == ir::Activation::Kind::clip,
             node.name, ": an int8 convolution with a fused function");
}

std::size_t store_bias(Context& context, const ir::Node& node, const ConvData& data, int filters) {
  const ir::Constant* bias = context.graph().constant(node.input(2));
  if (!data.integer()) {
    std::vector<float> values(static_cast<std::size_t>(filters), 0.0F);
    if (bias != nullptr)
      std::copy(bias->as<float>().begin(), bias->as<float>().end(), values.begin());
    return context.store(values);
  }
  const int zero = quant_of(context.value(node.inputs[0])).zero -
                   (context.options().signed_activations ? 128 : 0);
  std::vector<std::int32_t> values(static_cast<std::size_t>(filters), 0);
  for (int f = 0; f < data.shape().c_out && context.options().fill_weights; ++f) {
    std::int64_t sum = 0;
    const int first =
        data.conv().groups == 1
            ? 0
            : f / (data.shape().c_out / static_cast<int>(data.conv().groups)) * data.shape().c_in;
    for (int c = first; c < first + data.shape().c_in; ++c) {
      for (int tap = 0; tap < data.taps(); ++tap) sum += data.quantized(f, c, tap);
    }
    const std::int64_t b =
        bias == nullptr ? 0 : bias->as<std::int32_t>()[static_cast<std::size_t>(f)];
    // Wraps like the accumulator does: the exact result fits by the quantizer's check.
    values[static_cast<std::size_t>(f)] =
        static_cast<std::int32_t>(static_cast<std::uint32_t>(b - zero * sum));
  }
  return context.store(values);
}

std::size_t store_scales(Context& context, const ir::Node& node, const ConvData& data, int filters,
                         std::optional<float> result_scale) {
  const float s_x = quant_of(context.value(node.inputs[0])).scale;
  const ir::QuantParams& w = *data.weight().type.quant;
  std::vector<float> scales(static_cast<std::size_t>(filters), 0.0F);
  for (int f = 0; f < data.shape().c_out; ++f) {
    const float s_w = w.scale[w.scale.size() == 1 ? 0 : static_cast<std::size_t>(f)];
    scales[static_cast<std::size_t>(f)] = result_scale
                                              ? reference::requantize_scale(s_x, s_w, *result_scale)
                                              : reference::dequantize_scale(s_x, s_w);
  }
  return context.store(scales);
}

std::string describe(const ConvData& data, const ConvLists& lists, const ir::Value& y) {
  const WeightShape& s = data.shape();
  std::string text = str(data.c_in(), " -> ", s.c_out, ", ", s.kh, "x", s.kw);
  if (data.conv().strides[0] != 1 || data.conv().strides[1] != 1)
    text += str(", stride ", data.conv().strides[0]);
  if (data.conv().groups > 1) text += str(", ", data.conv().groups, " groups");
  if (y.type.shape->size() == 4)
    text += str(", ", ir::to_string((*y.type.shape)[2]), "x", ir::to_string((*y.type.shape)[3]));
  if (lists.sparse) {
    text +=
        str(", ", name_of(data.sparsity()->scheme), ", ",
            static_cast<int>(std::lround(100 * density(*data.sparsity(), s))), " % of the weights");
  }
  return text;
}

}  // namespace xgen::lower
