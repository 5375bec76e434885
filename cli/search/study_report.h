#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "cli/search/search_run.h"

namespace xgen::cli {

/// What a study found, how it came there and which parameters decided. Numbers are in the units of
/// the objectives.
///
///     {"name", "trials", "running", "finished", "failed", "beyond_requirements", "sampler",
///     "seed",
///      "objectives", "parameters", "requirements": [{"key", "most"}],
///      "reference": [...], "hypervolume": 0.4,        // as in `search best`
///      "best": [{"trial", "choices", "error", ...}],
///      "points": [{"trial", "choices", "error", ..., "kept": true}],           // all finished
///      "history": [{"trial", "finished": 1, "best": 9.5, "hypervolume": 0.1}], // after each one
///      "importance": [{"objective": "error", "shares": [0.9, 0.1]}],          // of parameters
///      "failures": [{"trial", "reason"}],
///      "beyond": [{"trial", "choices", "error", ..., "misses": "latency_ms 0.6, ..."}]}
///
/// `best` of the history is that of the first objective, null before a trial keeps what is
/// required. The hypervolume of the history is measured up to the same reference from its
/// beginning.
/// @throws UserError where there is no study.
nlohmann::json study_report(const LoadedSearch& search);

/// The report as one self-contained HTML page.
std::string study_page(const nlohmann::json& report);

}  // namespace xgen::cli
