#pragma once

#include "core/ir/graph.h"

namespace xgen::ir {

/// Folds a Pad with zeros on height and width into the convolution or average pool that reads it.
///
/// An average pool then counts its padding, as it did the zeros; one that had padding of its own
/// which it did not count is left alone, and so is one with ceil_mode, whose last windows would
/// reach further.
Graph fold_pad(Graph graph, int max_patches = -1);

}  // namespace xgen::ir
