#include "core/ir/rewrite/quantized_weight.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdlib>

#include "core/reference/evaluate.h"

namespace xgen::ir {

namespace {

const Node* producer_of(const Graph& graph, const UseMap& uses, ValueId id) {
  const int n = id == kNoValue ? -1 : uses.producer[static_cast<std::size_t>(id)];
  return n < 0 ? nullptr : &graph.nodes()[static_cast<std::size_t>(n)];
}

template <class... Args>
[[noreturn]] void refuse(const Node& node, const Args&... message) {
  throw UserError(str("node \"", node.name, "\" (", op_name(node.op), "): ", message...));
}

ConstantPtr constant_of(const Graph& graph, ValueId id) {
  return id == kNoValue ? nullptr : graph.value(id).constant;
}

/// Stored integers minus their zero point, where that is 0, or 128 for u8.
Constant centered(const Constant& stored, const Constant* zero_point, const Node& reader) {
  const bool is_u8 = stored.dtype == DType::u8;
  const int expected = is_u8 ? 128 : 0;
  if (is_u8 && zero_point == nullptr)
    refuse(reader, "the weight is asymmetric (u8 with zero point 0); only symmetric weights run");
  if (zero_point != nullptr) {
    for (std::int64_t i = 0; i < zero_point->size(); ++i) {
      const auto at = static_cast<std::size_t>(i);
      const int z = is_u8 ? zero_point->as<std::uint8_t>()[at] : zero_point->as<std::int8_t>()[at];
      if (z != expected) {
        refuse(reader, "the weight is asymmetric (zero point ", z, "); quantize it symmetrically");
      }
    }
  }
  // As bits, u8 minus 128 is s8 with the sign flipped.
  const auto lowest = static_cast<std::byte>(is_u8 ? 0x00 : 0x80);
  if (std::find(stored.bytes.begin(), stored.bytes.end(), lowest) != stored.bytes.end())
    refuse(reader, "the weight holds -128; expected [-127, 127]");
  Constant values = stored;
  values.dtype = DType::i8;
  if (is_u8) {
    for (std::byte& b : values.bytes) b ^= std::byte{0x80};
  }
  return values;
}

}  // namespace

std::optional<QuantizedWeight> read_quantized_weight(const Graph& graph, const UseMap& uses,
                                                     ValueId id, const Node& reader) {
  const Node* dequantize = producer_of(graph, uses, id);
  const auto* op = dequantize == nullptr ? nullptr : dequantize->as<DequantizeLinear>();
  if (op == nullptr) return std::nullopt;
  const ConstantPtr scale = constant_of(graph, dequantize->input(1));
  const ConstantPtr zero_point = constant_of(graph, dequantize->input(2));
  if (scale == nullptr || (dequantize->input(2) != kNoValue && zero_point == nullptr))
    return std::nullopt;

  QuantizedWeight weight;
  weight.source = dequantize->inputs[0];
  ConstantPtr stored = constant_of(graph, weight.source);
  if (stored == nullptr) {
    const Node* quantize = producer_of(graph, uses, weight.source);
    if (quantize == nullptr || !quantize->as<QuantizeLinear>()) return std::nullopt;
    std::vector<ConstantPtr> operands;
    for (const ValueId in : quantize->inputs) operands.push_back(constant_of(graph, in));
    if (operands[0] == nullptr || operands[1] == nullptr) return std::nullopt;
    weight.source = quantize->inputs[0];
    stored = std::make_shared<const Constant>(reference::evaluate_node(graph, *quantize, operands));
  }
  if (stored->dtype != DType::i8 && stored->dtype != DType::u8) return std::nullopt;
  weight.values = centered(*stored, zero_point.get(), reader);
  weight.sparsity = graph.value(weight.source).sparsity;
  const auto scales = scale->as<float>();
  weight.quant.scale.assign(scales.begin(), scales.end());
  weight.quant.zero_point.assign(scales.size(), 0);
  const auto rank = static_cast<std::int64_t>(weight.values.shape.size());
  if (scales.size() > 1)
    weight.quant.axis = static_cast<int>(op->axis < 0 ? op->axis + rank : op->axis);
  return weight;
}

namespace {

/// Refuses channels whose accumulator can leave 32 bits: 255 * sum|w| + |bias| >= 2^31.
void check_range(const QuantizedWeight& weight, const std::vector<std::int64_t>& bias,
                 std::size_t channel_axis, const Node& reader) {
  const Extents& shape = weight.values.shape;
  // Weights are at most 127: most layers are too small to get there, whatever they hold.
  const std::int64_t most =
      255 * 127 * (weight.values.size() / static_cast<std::int64_t>(bias.size()));
  const bool can = std::any_of(bias.begin(), bias.end(), [&](std::int64_t b) {
    return most + std::abs(b) >= std::int64_t{1} << 31;
  });
  if (!can) return;
  std::size_t inner = 1;
  for (std::size_t i = channel_axis + 1; i < shape.size(); ++i)
    inner *= static_cast<std::size_t>(shape[i]);
  std::vector<std::int64_t> sums(bias.size(), 0);
  const auto w = weight.values.as<std::int8_t>();
  for (std::size_t i = 0; i < w.size(); ++i) sums[i / inner % bias.size()] += std::abs(int{w[i]});
  for (std::size_t c = 0; c < bias.size(); ++c) {
    if (255 * sums[c] + std::abs(bias[c]) >= std::int64_t{1} << 31) {
      refuse(reader, "the sum of output channel ", c, " can leave 32 bits; keep this layer in f32");
    }
  }
}

std::size_t channel_axis_of(const Node& reader) {
  if (reader.as<Conv>()) return 0;
  if (const auto* gemm = reader.as<Gemm>()) return gemm->trans_b ? 0 : 1;
  return 1;
}

}  // namespace

std::optional<Constant> read_quantized_bias(const Graph& graph, const UseMap& uses, ValueId id,
                                            float s_x, const QuantizedWeight& weight,
                                            std::size_t channels, const Node& reader) {
  std::vector<std::int64_t> values(channels, 0);
  const auto unit = [&](std::size_t c) {
    const auto& scales = weight.quant.scale;
    return static_cast<double>(s_x) * static_cast<double>(scales[scales.size() == 1 ? 0 : c]);
  };
  if (id != kNoValue) {
    const Node* dequantize = producer_of(graph, uses, id);
    const bool behind = dequantize != nullptr && dequantize->as<DequantizeLinear>();
    const ConstantPtr stored = constant_of(graph, behind ? dequantize->inputs[0] : id);
    const ConstantPtr scale = behind ? constant_of(graph, dequantize->input(1)) : nullptr;
    if (stored == nullptr || stored->size() != static_cast<std::int64_t>(channels) ||
        (behind && (scale == nullptr || stored->dtype != DType::i32)) ||
        (!behind && stored->dtype != DType::f32)) {
      return std::nullopt;
    }
    for (std::size_t c = 0; c < channels; ++c) {
      if (behind) {
        const double s = static_cast<double>(scale->as<float>()[scale->size() == 1 ? 0 : c]);
        const auto q = stored->as<std::int32_t>()[c];
        // The scale is a float product; a difference in its last bits is the same unit.
        constexpr double kSame = 1e-6;
        values[c] = std::abs(s / unit(c) - 1) < kSame
                        ? q
                        : std::llrint(std::clamp(q * s / unit(c), -1e15, 1e15));
      } else {
        values[c] = std::llrint(
            std::clamp(static_cast<double>(stored->as<float>()[c]) / unit(c), -1e15, 1e15));
      }
    }
  }
  check_range(weight, values, channel_axis_of(reader), reader);
  return Constant::of<std::int32_t>({static_cast<std::int64_t>(channels)},
                                    {values.begin(), values.end()});
}

}  // namespace xgen::ir
