#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/ir/graph.h"

/// A naive evaluator of graphs on the CPU: the only definition of right for generated kernels.
///
/// fp32 sums are formed in double, so a kernel may differ by its own rounding only; integer nodes
/// (u8 values with TensorType::quant) follow core/reference/integer.h and must agree exactly.
namespace xgen::reference {

using Tensor = ir::Constant;
using TensorPtr = ir::ConstantPtr;

/// Runs `graph`.
///
/// @param inputs  one per graph input, in order; their extents bind the symbols of the graph.
/// @return        one per graph output.
/// @throws UserError when an input has another type or shape than the graph says, when inputs
///         disagree on a symbol, and where shapes do not fit.
std::vector<Tensor> evaluate(const ir::Graph& graph, std::vector<Tensor> inputs);

/// Runs `graph` and returns the values `wanted`, intermediate ones included, in that order.
std::vector<Tensor> evaluate_values(const ir::Graph& graph, std::vector<Tensor> inputs,
                                    const std::vector<ir::ValueId>& wanted);

/// Runs one node of `graph` on given operands (null for an absent one): what tests of single
/// kernels and constant folding use.
Tensor evaluate_node(const ir::Graph& graph, const ir::Node& node,
                     const std::vector<TensorPtr>& operands);

}  // namespace xgen::reference
