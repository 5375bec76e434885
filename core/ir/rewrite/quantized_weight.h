#pragma once

#include <optional>

#include "core/ir/graph.h"

namespace xgen::ir {

/// A weight as integers: s8, symmetric, real value = scale[channel] * stored.
struct QuantizedWeight {
  Constant values;
  QuantParams quant;                 ///< one scale, or one per index of quant.axis.
  ValueId source = kNoValue;         ///< the constant that it comes from.
  std::optional<Sparsity> sparsity;  ///< of the source.
};

/// The integers behind `id`, which must be constant -> DequantizeLinear, or a float constant ->
/// QuantizeLinear -> DequantizeLinear; nothing for anything else.
/// @throws UserError for weights which are not symmetric or hold -128.
std::optional<QuantizedWeight> read_quantized_weight(const Graph& graph, const UseMap& uses,
                                                     ValueId id, const Node& reader);

/// The bias of `reader` in units of s_x * s_w[channel]: an i32 constant behind DequantizeLinear
/// keeps its integers when its scale says the same, everything else is rounded to them.
/// Nothing when the bias is not constant.
/// @throws UserError when a channel can leave 32 bits.
std::optional<Constant> read_quantized_bias(const Graph& graph, const UseMap& uses, ValueId id,
                                            float s_x, const QuantizedWeight& weight,
                                            std::size_t channels, const Node& reader);

}  // namespace xgen::ir
