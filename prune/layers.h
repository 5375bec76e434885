#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/ir/graph.h"
#include "core/sparsity.h"

namespace xgen::prune {

/// One layer with weights, and whether it can be pruned. A row of the report.
struct Layer {
  std::string node;         ///< the first node which reads the weight.
  std::string weight;       ///< name of the weight's value.
  std::string op;           ///< "Conv", "Gemm", "MatMul".
  WeightShape shape;        ///< as [c_out, c_in / groups, kh, kw], whatever the operator stores.
  bool transposed = false;  ///< the weight is stored as [c_in, c_out].
  bool is_output = false;   ///< a fully connected layer which computes an output of the graph.
  std::int64_t macs = 0;    ///< dense, for one sample, of all readers of the weight.
  bool prunable = false;
  std::string reason;  ///< why it stays dense; empty when prunable.

  bool is_conv() const { return op == "Conv"; }
};

/// All layers with weights, in the order of the graph.
///
/// What can be pruned: convolutions with groups = 1 and kernels of at most 64 taps, Gemm and MatMul
/// with a constant 2-D weight. A weight with several readers is one layer.
///
/// @param graph    with inferred shapes.
/// @param exclude  globs (`*`, `?`) of node or weight names which stay dense.
/// @throws UserError for a glob that matches no layer.
std::vector<Layer> layers_of(const ir::Graph& graph, const std::vector<std::string>& exclude = {});

}  // namespace xgen::prune
