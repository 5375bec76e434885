#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "codegen/compile.h"
#include "codegen/latency/tables.h"

/// What `xgen-train latency` says: each as the JSON object of --json, and as text for people.
namespace xgen::cli {

/// Which table a verb works with.
struct TableChoice {
  std::string target = "host";
  std::string file;  ///< empty: the one that serves this machine.
};
/// Says on stderr which table serves and how good it is, or that none does.
/// @returns a table without fits where there is none, which serves by the static estimate.
/// @throws UserError for a file of another target.
latency::LatencyTable load_table(const TableChoice& choice);

/// The tables that need not be named.
nlohmann::json list_of(const std::vector<latency::FoundTable>& tables);
std::string list_text(const nlohmann::json& list);

/// The factors and errors of a table.
nlohmann::json fits_of(const latency::LatencyTable& table);
std::string fits_text(const latency::LatencyTable& table);

/// The predictions of a model's kernels, and their times on this machine.
nlohmann::json check_model(const latency::LatencyTable& table, const CompiledModel& model);
std::string check_text(const nlohmann::json& result);

/// The predictions of a table for what another one measured: kernels that it was not fitted to.
/// @throws UserError when they share no kernel.
nlohmann::json check_samples(const latency::LatencyTable& table,
                             const latency::LatencyTable& other);
std::string samples_text(const nlohmann::json& result);

/// What kernels take by a second table, over what they take by a first, on the calls that either
/// measured. @throws UserError when they share no kernel.
nlohmann::json compare_tables(const latency::LatencyTable& first,
                              const latency::LatencyTable& second);
std::string compare_text(const nlohmann::json& result);

}  // namespace xgen::cli
