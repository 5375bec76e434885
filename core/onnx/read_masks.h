#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "core/ir/graph.h"

namespace xgen {

/// Annotates the weights of `graph` with the masks that a model file holds, by name.
///
/// @throws UserError, starting with `where`, for masks of another model: of a weight that the graph
/// does not have or of another shape, or that drop weights which are not zero. A kernel would leave
/// those out.
void read_masks(const nlohmann::json& masks, ir::Graph& graph, const std::string& where);

}  // namespace xgen
