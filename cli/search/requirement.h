#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "search/config.h"
#include "search/pareto.h"

namespace xgen::cli {

/// The most that an objective of a study may be.
struct Requirement {
  std::string key;            ///< as in a config: "latency_ms_max".
  std::size_t objective = 0;  ///< of the study's.
  double most = 0;            ///< in the objective's unit.
};

/// Those of the limits that are on one of these objectives. A trial that misses one on something
/// that is no objective of its study fails.
std::vector<Requirement> requirements_of(const search::SearchLimits& limits,
                                         const std::vector<std::string>& objectives);

/// Of "KEY=VALUE". @throws UserError for a key whose objective the study does not have, with those
/// that there are, and for a value that is no number of at least 0.
Requirement parse_requirement(const std::string& text, const search::SearchConfig& config);

/// How far what a trial found is beyond what is required, as a sum of shares: 0 where it keeps all.
double excess(const std::vector<Requirement>& required, const search::Objectives& found);

/// "latency_ms 0.61, required at most 0.5; ...": what a trial misses.
std::string misses(const std::vector<Requirement>& required, const search::Objectives& found,
                   const std::vector<std::string>& objectives);

}  // namespace xgen::cli
