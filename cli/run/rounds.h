#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>

#include "cli/config.h"

namespace xgen::cli {

/// What the rates of a stage are chosen for: the limits that the config asks for, until a finished
/// network has missed one.
struct Goal {
  std::optional<double> latency_ms, size_bytes;
  std::optional<double> latency_share = {};  ///< of the dense network in fp32.
};
Goal first_goal(const Requirements& wanted);

nlohmann::json to_json(const Goal& goal);

/// The goal of the next round: tighter where time or size was missed by the finished network,
/// looser where it lost too much accuracy and is faster or smaller than it has to be. Nothing where
/// both are short, or where all was met.
/// @param rows  what came of the requirements: {name, wanted, got, met}.
std::optional<Goal> next_goal(const Goal& goal, const nlohmann::json& rows);

}  // namespace xgen::cli
