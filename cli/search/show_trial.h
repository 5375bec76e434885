#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

#include "cli/search/search_run.h"

namespace xgen::cli {

/// All that the study knows of a trial, wherever its run was: {"trial", "step", "state", "reason",
/// "seed", "worker", "attempts", "choices": {"pruning": "block 4.0"}, "objectives": {"error": 7.5},
/// "texts": {"graph", "kernels", "log", "report"}}.
/// @throws UserError where the study has no such trial.
nlohmann::json show_trial(const LoadedSearch& search, std::int64_t number);

/// For a person: without the texts, but their lengths.
std::string trial_text(const nlohmann::json& shown);

/// One of the texts of a trial. @throws UserError naming those that it has.
std::string text_of_trial(const nlohmann::json& shown, const std::string& name);

}  // namespace xgen::cli
