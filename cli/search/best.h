#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cli/search/requirement.h"
#include "cli/search/search_run.h"
#include "cli/search/study_results.h"

namespace xgen::cli {

/// The trials that keep what is required and that no other one dominates, the least of the first
/// objective first, with the folder of each one's run, and the hypervolume of what they dominate up
/// to each objective's worst finished value.
///
/// @param more  "KEY=VALUE", besides the config's requirements; where both bound an objective both
///              hold.
/// @throws UserError where no trial has finished; RequirementsError where none keeps what is
/// required, with the nearest one and what it misses.
nlohmann::json best_trials(const LoadedSearch& search, const std::vector<std::string>& more);

/// Where trials were trained and measured, one has to keep what is required. @throws
/// RequirementsError which names the nearest one and what it misses.
void check_one_is_kept(const LoadedSearch& search, const std::vector<Requirement>& required,
                       const StudyResults& results);

/// The same as best_trials() for a terminal.
std::string best_text(const nlohmann::json& best);

}  // namespace xgen::cli
