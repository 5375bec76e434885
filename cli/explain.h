#pragma once

#include <nlohmann/json.hpp>

#include "cli/measure_compiled.h"
#include "codegen/compile.h"

namespace xgen::cli {

/// Every choice of a compilation with its reason (DESIGN law 5):
///
///   passes  name, seconds, nodes before and after
///   steps   name, op, kernel, scheme, sizes, MACs, and why it is as it is
///
/// @param times  of its pruned convolutions; null where masks were trusted.
nlohmann::json explain(const CompiledModel& model, const PrunedTimes* times);

/// The same as tables.
std::string explain_text(const nlohmann::json& explanation);

}  // namespace xgen::cli
