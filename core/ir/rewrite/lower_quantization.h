#pragma once

#include "core/ir/graph.h"

namespace xgen::ir {

/// Turns QuantizeLinear and DequantizeLinear around float operators into integer operators (DESIGN
/// section 6, core/reference/integer.h).
///
/// Quantized values become u8 with TensorType::quant (s8 activations move by 128, which is exact).
/// Weights become s8 constants with per-channel parameters, biases i32 constants in units of
/// s_x * s_w. What has an integer form:
///
///   Conv, Gemm, MatMul with quantized input and weight   u8 result, or f32 where no QuantizeLinear
///                                                        follows
///   Relu, Clip between one of these and its Q            the epilogue of a Conv; elsewhere a u8
///                                                        Unary, or nothing where it cannot bind
///   Add, Concat, AveragePool, GlobalAveragePool          u8 from u8 operands
///   any Unary                                            a table, u8 from u8
///   MaxPool, Resize (nearest), Slice, Pad, Reshape,      bytes move, where the parameters before
///   Flatten, Transpose, Squeeze, Unsqueeze               and after are equal
///
/// Every other operator stays f32 between explicit DequantizeLinear and QuantizeLinear nodes. A
/// graph without QuantizeLinear is returned as it is. Names of the graph's outputs stay.
///
/// @param graph  with shapes, after fold_constants and fold_batch_norm. @return with shapes.
/// @throws UserError naming the node for asymmetric weights, weights of -128, per-channel
///         activations, and channels whose sum can leave 32 bits.
Graph lower_quantization(const Graph& graph);

}  // namespace xgen::ir
