#pragma once

#include <cstdint>
#include <set>
#include <string>

#include "core/ir/graph.h"

namespace xgen::ir {

/// What a node costs, and what it has learned.
struct NodeSize {
  /// Multiply-adds of a Conv, Gemm or MatMul, for one sample: symbolic extents count as 1.
  std::int64_t dense_macs = 0;
  /// The same without those that the weight's mask skips. An unstructured mask skips nothing.
  std::int64_t macs = 0;
  std::int64_t parameters = 0;   ///< trained values that it reads, stored as floats or integers.
  std::int64_t nonzero = 0;      ///< those which are not zero.
  std::string scheme = "dense";  ///< of the weight's mask.
};

/// Measures one node of a graph with shapes.
///
/// @param counted  constants which other nodes have counted already, so that sums count a shared
///                 one once; those of this node are added.
NodeSize size_of_node(const Graph& graph, const UseMap& uses, const Node& node,
                      std::set<ValueId>& counted);

/// Sums over all nodes; `scheme` is "dense", or "sparse" where any weight has a mask.
///
/// @param read_values  false: `nonzero` is 0, and no weight is read.
NodeSize size_of_graph(const Graph& graph, bool read_values = true);

}  // namespace xgen::ir
