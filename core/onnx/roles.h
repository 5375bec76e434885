#pragma once

#include "core/ir/graph.h"

namespace xgen {

/// Gives every constant its role (DESIGN section 2), from how it is read: float weights, biases,
/// scales and tables of Conv, Gemm, MatMul, BatchNormalization and Gather are parameters, running
/// statistics are buffers, everything else is fixed. A weight may lie behind Transpose, Reshape or
/// a pair of QuantizeLinear and DequantizeLinear.
void assign_roles(ir::Graph& graph);

}  // namespace xgen
