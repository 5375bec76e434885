#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

/// Parts of the report's page. Each takes report.json's content and gives HTML, or "" when the
/// report does not hold what it shows.
namespace xgen::cli {

/// One line: what came out against the dense network; plain text.
std::string summary_sentence(const nlohmann::json& report);
/// The same numbers as tiles.
std::string summary_tiles(const nlohmann::json& report);
std::string variants_section(const nlohmann::json& report);
std::string requirements_section(const nlohmann::json& report);
std::string stages_section(const nlohmann::json& report);
/// Every layer with what was done to it, what that brought, and why.
std::string layers_section(const nlohmann::json& report);
/// Accuracy and loss over all stages, one after the other.
std::string curves_section(const nlohmann::json& report);
std::string points_section(const nlohmann::json& report);

/// A table in a card: columns whose cells are all empty are left out. Cells are HTML.
struct HtmlTable {
  struct Column {
    std::string title;
    const char* style;  ///< CSS class of its cells; "n" for numbers.
  };
  struct Row {
    std::vector<std::string> cells;
    const char* style = "";
  };
  std::vector<Column> columns;
  std::vector<Row> rows;

  std::string html() const;
};

}  // namespace xgen::cli
