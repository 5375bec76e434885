#pragma once

#include "codegen/lower/context.h"
#include "codegen/program.h"
#include "core/ir/graph.h"

namespace xgen::lower {

/// Lowers a graph that the passes have prepared (static shapes, batch 1, fused) to kernel calls.
/// @throws UserError naming the node that no kernel serves, and why.
Program lower(const ir::Graph& graph, const LowerOptions& options);

}  // namespace xgen::lower
