#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "codegen/latency/table.h"
#include "core/target.h"

namespace xgen::cli {

/// Where the latency table of a run may come from.
struct TableSources {
  Target target;
  std::filesystem::path kept;   ///< the run's own copy: it goes on with what it began with.
  std::filesystem::path given;  ///< by the config; empty where it gives none.
  double build_minutes = 2;     ///< of measuring where there is none; 0: none is built.
};

/// The table that a run predicts by, in this order: kept, given, the one that serves this machine
/// (latency::find_table), one that is built now. Without fits, which serves by the static estimate,
/// for another device and where none can be had. Says which.
/// @param note  called with what the report has to show.
/// @throws UserError for a given file that cannot be read; Interrupted while one is built.
latency::LatencyTable table_of_run(const TableSources& sources,
                                   const std::function<void(const std::string&)>& note);

}  // namespace xgen::cli
