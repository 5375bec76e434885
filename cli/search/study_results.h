#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cli/search/requirement.h"
#include "cli/search/search_run.h"

namespace xgen::cli {

/// What a study found up to now. Trials are by number.
struct StudyResults {
  search::Space space;
  std::vector<search::StudyTrial> running, failed;
  std::vector<search::StudyTrial> finished;  ///< those of the last step, which compete.
  std::vector<search::StudyTrial> earlier;   ///< finished ones of the steps before.
  std::vector<search::StudyTrial> kept;      ///< of them, that keep what is required.
  std::vector<search::StudyTrial> beyond;    ///< the others.
  /// Of each objective the worst among the finished ones, up to which hypervolumes are measured.
  search::Objectives reference;
};

/// @throws UserError where there is no study.
StudyResults results_of(const LoadedSearch& search, const std::vector<Requirement>& required);

/// @throws UserError where the study has no trial of that number.
search::StudyTrial find_trial(const LoadedSearch& search, std::int64_t number);

/// Those that no other one dominates, the least of the first objective first.
std::vector<search::StudyTrial> best_of(const std::vector<search::StudyTrial>& trials);
/// Up to the reference; 0 without trials.
double hypervolume_of(const std::vector<search::StudyTrial>& trials,
                      const search::Objectives& reference);

/// Where a trial's run is, whether or not it is still there.
std::filesystem::path run_folder(const LoadedSearch& search, const search::StudyTrial& trial);

/// {"trial": 3, "choices": ["identity", "mb3_k3"], "error": 7.5, ...}: its objectives by name.
nlohmann::json row_of(const LoadedSearch& search, const search::Space& space,
                      const search::StudyTrial& trial);
/// {"name": "short", "finished": 27, "of": 9, "rho": 0.8, "tau": 0.6}: of each step how many trials
/// finished, and how well the order of the first objective agrees with that by the last step on
/// those of them that got there ("of"); no correlations where fewer than two did.
nlohmann::json steps_of(const LoadedSearch& search, const StudyResults& results);
std::string steps_text(const nlohmann::json& steps);
/// Of kernels whose times trials asked for, how many nobody had measured before: {"asked": 40,
/// "found": 8}. Of runs that are still there.
nlohmann::json kernel_times_of(const LoadedSearch& search);
/// Rows of the trials that failed, each with its reason.
nlohmann::json failures_of(const StudyResults& results);
nlohmann::json choices_of(const search::Space& space, const search::Point& point);
nlohmann::json names_of(const search::Space& space);
/// "identity mb3_k3"
std::string in_words(const nlohmann::json& choices);

}  // namespace xgen::cli
