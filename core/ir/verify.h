#pragma once

#include <string>

#include "core/ir/graph.h"

namespace xgen::ir {

/// Checks what every pass must keep: names of nodes and values are unique and not empty, every
/// value is computed once and before it is read, operators have as many inputs as ops.h says, and
/// every value that is read has a type with a shape.
/// @throws InternalError naming `pass` and the first place that is wrong.
void verify(const Graph& graph, const std::string& pass);

}  // namespace xgen::ir
