#pragma once

#include "core/ir/graph.h"

namespace xgen::ir {

/// Removes what computes nothing and merges what exporters take apart:
///
///   Dropout, Concat of one, Cast to its own type             -> their input
///   Slice, Pad, Reshape, Flatten, Squeeze, Unsqueeze,
///   Transpose and GlobalAveragePool which change nothing      -> their input
///   Transpose of Transpose                                    -> one Transpose
///   Reshape of Reshape, Flatten, Squeeze or Unsqueeze         -> one Reshape
///   x * Sigmoid(x), x * HardSigmoid(x, 1/6, 1/2)              -> Silu(x), HardSwish(x)
///
/// Names of the graph's outputs stay. @param graph  with shapes.
Graph simplify(Graph graph, int max_patches = -1);

}  // namespace xgen::ir
