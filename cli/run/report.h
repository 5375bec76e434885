#pragma once

#include <nlohmann/json.hpp>
#include <string>

/// What a person reads of a run. Both functions take report.json's content and leave out what it
/// does not hold: a run that stopped early has a report, too.
namespace xgen::cli {

/// One self-contained HTML page: no script, no file beside it, light and dark.
std::string report_html(const nlohmann::json& report);

/// The compiled variants and the requirements as plain text, for a terminal.
std::string result_table(const nlohmann::json& report);

}  // namespace xgen::cli
