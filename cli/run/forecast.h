#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "cli/run/run_context.h"

namespace xgen::cli {

/// Whether something can be said of the requirements on latency before anything is trained: where
/// the network is compiled by a stage before number `end`.
bool can_forecast(const RunConfig& config, std::size_t end);

/// What latency models say of the requirements on latency, for the network that a run starts from:
/// what it takes in the type that it will run in, what is left where masks are at their highest
/// rates, and what that means ("text"; "met": "dense", "pruned", "never" or "unknown"). It decides
/// nothing: measured times do, later.
nlohmann::json forecast(RunContext& run, const ir::Graph& initial);

/// forecast() once in a run: kept in its folder, said, and part of the report.
void say_forecast(RunContext& run, const ir::Graph& initial);

}  // namespace xgen::cli
