#pragma once

#include "core/ir/graph.h"

namespace xgen::ir {

/// Replaces by a constant:
///
///   * nodes whose inputs are all constant (evaluated by core/reference),
///   * integers that follow from shapes alone (Shape -> Gather -> ...), where no symbol remains,
///   * the second input of a Reshape whose result has one symbol: [N, 64] becomes {0, 64} where N
///     is the same extent of the input, else {-1, 64}.
///
/// DequantizeLinear stays, because its integers are what lower_quantization needs; so does a node
/// that computes an output of the graph, for its name. A result of trained constants is trained.
///
/// @param graph        with shapes.
/// @param max_patches  stops after this many replacements; -1: never.
/// @return             the graph with shapes.
Graph fold_constants(Graph graph, int max_patches = -1);

}  // namespace xgen::ir
