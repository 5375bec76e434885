#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "search/config.h"
#include "search/pareto.h"

/// What the run of a trial found.
namespace xgen::cli {

/// Of the network that a run ended with: accuracy on the validation samples; time, size and memory
/// as compiled, or where the run does not compile as they are known before.
///
/// @param report  of the run.
/// @param names   of objectives.
/// @param known   one for each name.
search::Objectives found_by(const nlohmann::json& report, const std::vector<std::string>& names,
                            const search::Objectives& known);

struct Missed {
  double excess = 0;  ///< as by excess(); 0 where everything is kept.
  std::string text;   ///< as by misses().
};

/// What a compiled network misses of the config's requirements on quantities that are none of the
/// study's objectives.
Missed missed_beside_objectives(const nlohmann::json& report, const search::SearchConfig& config);

}  // namespace xgen::cli
