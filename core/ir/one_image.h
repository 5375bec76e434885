#pragma once

#include "core/ir/graph.h"

namespace xgen::ir {

/// The graph with shapes, and every extent that has no number, such as the batch, 1.
Graph for_one_image(const Graph& network);

}  // namespace xgen::ir
