#include <algorithm>

#include "cli/run/report.h"
#include "cli/run/report_values.h"

namespace xgen::cli {

namespace {

using nlohmann::json;
using Cells = std::vector<std::string>;

// Cells in columns two spaces apart: the first column to the left, the others to the right.
std::string aligned(const std::vector<Cells>& rows) {
  std::vector<std::size_t> widths;
  for (const Cells& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string text;
  for (const Cells& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::string fill(widths[i] - row[i].size(), ' ');
      line += i == 0 ? row[i] + fill : "  " + fill + row[i];
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

std::string times(double factor) { return fixed(factor, 2) + "x"; }

// Columns of which no row knows anything are left out.
std::vector<Cells> without_empty_columns(std::vector<Cells> rows) {
  for (std::size_t column = rows.front().size(); column-- > 1;) {
    const bool known = std::any_of(rows.begin() + 1, rows.end(),
                                   [&](const Cells& row) { return row[column] != "-"; });
    if (known) continue;
    for (Cells& row : rows) row.erase(row.begin() + static_cast<std::ptrdiff_t>(column));
  }
  return rows;
}

std::string variants_text(const json& report) {
  const std::vector<VariantRow> variants = variants_of(report);
  if (variants.empty()) return "";
  const bool on_test = std::all_of(variants.begin(), variants.end(),
                                   [](const VariantRow& v) { return v.on_test_split; });
  std::vector<Cells> rows = {{"", on_test ? "test top-1" : "top-1", "latency", "vs fp32", "vs int8",
                              "size", "MACs", "peak memory"}};
  for (const VariantRow& v : variants) {
    rows.push_back({v.name,
                    or_absent(
                        v.accuracy, [](double x) { return percent(x); }, "-"),
                    or_absent(v.latency_ms, milliseconds, "-"),
                    or_absent(v.over_dense_fp32, times, "-"),
                    or_absent(v.over_dense_int8, times, "-"), or_absent(v.size_bytes, bytes, "-"),
                    or_absent(v.macs, count, "-"), or_absent(v.memory_bytes, bytes, "-")});
  }
  return aligned(without_empty_columns(std::move(rows)));
}

// Before anything is compiled: the accuracy that each stage left.
std::string stages_text(const json& report) {
  std::vector<Cells> rows = {{"stage", "kind", "validation top-1", "time"}};
  for (const json& stage : list_at(report, "/stages")) {
    rows.push_back(
        {text_at(stage, "/name"), text_at(stage, "/kind"),
         or_absent(
             number_at(stage, "/validation/top1"), [](double x) { return percent(x); }, "-"),
         or_absent(number_at(stage, "/seconds"), duration, "-")});
  }
  return rows.size() == 1 ? "" : aligned(without_empty_columns(std::move(rows)));
}

std::string requirements_text(const json& report) {
  std::vector<Cells> rows = {{"requirement", "wanted", "got", ""}};
  for (const json& r : list_of_run(report, "/requirements")) {
    rows.push_back({text_at(r, "/name"), or_absent(number_at(r, "/wanted"), plain, "-"),
                    or_absent(number_at(r, "/got"), plain, "-"),
                    r.is_object() && r.value("met", json()) == json(true) ? "met" : "NOT met"});
  }
  return rows.size() == 1 ? "" : "\n" + aligned(rows);
}

}  // namespace

std::string result_table(const json& report) {
  const std::string variants = variants_text(report);
  return (variants.empty() ? stages_text(report) : variants) + requirements_text(report);
}

}  // namespace xgen::cli
