#pragma once

#include <optional>
#include <string>

#include "core/ir/graph.h"

namespace xgen::ir {

struct RebatchResult {
  std::optional<Graph> graph;  ///< empty when it cannot be proved.
  std::string reason;          ///< then why, with the node that forbids it.
};

/// Makes a fixed batch of 1 symbolic, "N", where every sample is provably computed by itself:
/// the batch stays the leading extent of whatever depends on it, no node works along that axis,
/// and every output keeps it. Leading ones in the targets of Reshape become 0 ("copy").
///
/// A graph whose inputs have a symbolic first extent already is returned as it is.
RebatchResult rebatch(const Graph& graph);

}  // namespace xgen::ir
