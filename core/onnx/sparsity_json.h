#pragma once

#include <nlohmann/json.hpp>

#include "core/sparsity.h"

namespace xgen {

/// How a mask is stored beside the weights in a model file:
///   {"scheme": "pattern", "group_out": 8, "lane_channels": 4, "patterns": [27, ...], "kept":
///   [...]}
nlohmann::json to_json(const Sparsity& sparsity);

/// @throws UserError, starting with `where`, when `json` is not what to_json writes.
Sparsity sparsity_from_json(const nlohmann::json& json, const std::string& where);

}  // namespace xgen
