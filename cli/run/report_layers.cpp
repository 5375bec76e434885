#include <algorithm>
#include <utility>

#include "cli/run/report_charts.h"
#include "cli/run/report_sections.h"
#include "cli/run/report_values.h"
#include "core/error.h"
#include "core/ir/rewrite/joined_name.h"

namespace xgen::cli {

namespace {

using nlohmann::json;

/// What the stages say about one layer; later stages overwrite earlier ones.
struct LayerRow {
  std::string name, op, shape, scheme;
  std::optional<double> rate, kept, sensitivity, macs;
  std::optional<double> dense_ms, ms, ceiling_share;
  std::vector<std::pair<std::string, std::string>> reasons;  ///< kind of stage, what it says.

  void explain(const std::string& kind, const std::string& reason) {
    for (const auto& [said_by, said] : reasons) {
      if (said == reason) return;
    }
    if (!reason.empty()) reasons.emplace_back(kind, reason);
  }
};

void set(std::optional<double>& value, const std::optional<double>& newer) {
  if (newer) value = newer;
}
void set(std::string& value, const std::string& newer) {
  if (!newer.empty()) value = newer;
}

class Layers {
 public:
  /// The row of a name, a new one at the end where there is none.
  LayerRow& at(const std::string& name) {
    for (LayerRow& row : rows_) {
      // Compilation joins the names of what it fuses: "conv1+bn1+relu1" is where conv1 went.
      if (ir::is_made_of(row.name, name)) return row;
    }
    LayerRow& row = rows_.emplace_back();
    row.name = name;
    return row;
  }
  void add_pruned(const json& layer) {
    LayerRow& row = at(text_at(layer, "/node"));
    set(row.op, text_at(layer, "/op"));
    set(row.shape, text_at(layer, "/shape"));
    set(row.scheme, text_at(layer, "/scheme"));
    set(row.rate, number_at(layer, "/rate"));
    set(row.kept, number_at(layer, "/kept"));
    set(row.sensitivity, number_at(layer, "/sensitivity"));
    set(row.macs, number_at(layer, "/kept_macs"));
    const auto in_ms = [](double us) { return 1e-3 * us; };
    if (const auto us = number_at(layer, "/dense_us")) row.dense_ms = in_ms(*us);
    if (const auto us = number_at(layer, "/sparse_us")) row.ms = in_ms(*us);
    row.explain("prune", text_at(layer, "/reason"));
  }
  void add_quantized(const json& layer) {
    LayerRow& row = at(text_at(layer, "/node"));
    row.explain("quantize", text_at(layer, "/reason"));
  }
  void add_compiled(const json& layer) {
    LayerRow& row = at(text_at(layer, "/name"));
    set(row.op, text_at(layer, "/op"));
    if (row.shape.empty()) row.shape = text_at(layer, "/sizes");
    set(row.scheme, text_at(layer, "/scheme"));
    // Times of the pruning stage are of the layer alone; those of the whole network replace them
    // together or not at all.
    if (number_at(layer, "/ms")) {
      row.ms = number_at(layer, "/ms");
      row.dense_ms = number_at(layer, "/dense_ms");
    }
    const std::optional<double> macs = number_at(layer, "/macs");
    if (macs && *macs > 0) row.macs = macs;
    set(row.ceiling_share, number_at(layer, "/ceiling_share"));
    row.explain("compile", text_at(layer, "/reason"));
  }
  const std::vector<LayerRow>& rows() const { return rows_; }

 private:
  std::vector<LayerRow> rows_;
};

std::string in_us(double ms) { return significant(1e3 * ms); }

}  // namespace

std::string layers_section(const json& report) {
  Layers layers;
  // In the order of the compiled network, where there is one.
  for (const json& stage : list_at(report, "/stages")) {
    if (text_at(stage, "/kind") != "compile") continue;
    for (const json& layer : list_at(stage, "/layers")) layers.at(text_at(layer, "/name"));
  }
  for (const json& stage : list_at(report, "/stages")) {
    const std::string kind = text_at(stage, "/kind");
    for (const json& layer : list_at(stage, "/layers")) {
      if (kind == "prune") layers.add_pruned(layer);
      if (kind == "quantize") layers.add_quantized(layer);
      if (kind == "compile") layers.add_compiled(layer);
    }
  }
  if (layers.rows().empty()) return "";
  double most = 1;
  for (const LayerRow& row : layers.rows()) {
    most = std::max(most, ratio(row.dense_ms, row.ms).value_or(1));
  }
  HtmlTable table{{{"Layer", "layer"},
                   {"Scheme", ""},
                   {"Rate", "n"},
                   {"MACs", "n"},
                   {"Dense, µs", "n"},
                   {"Compiled, µs", "n"},
                   {"Speed-up", "n"},
                   {"Of the ceiling", "n"},
                   {"Sensitivity", "n"},
                   {"Why", "why"}},
                  {}};
  for (const LayerRow& row : layers.rows()) {
    const std::optional<double> speed_up = ratio(row.dense_ms, row.ms);
    std::string why;
    for (const auto& [kind, reason] : row.reasons) {
      why += why.empty() ? "" : "<br>";
      if (row.reasons.size() > 1) why += str("<b>", kind, ":</b> ");
      why += escaped(reason);
    }
    std::string about = row.op;
    if (!row.shape.empty()) about += (about.empty() ? "" : ", ") + row.shape;
    table.rows.push_back(
        {{str("<span title=\"", escaped(row.name), "\">",
              escaped(row.name.substr(0, row.name.find('+'))), "</span><br><span class=\"small\">",
              escaped(about), "</span>"),
          escaped(row.scheme), or_absent(row.rate, [](double r) { return fixed(r, 1) + "×"; }),
          or_absent(row.macs, count), or_absent(row.dense_ms, in_us), or_absent(row.ms, in_us),
          or_absent(speed_up, [&](double s) { return meter(s / most, fixed(s, 2) + "×", s < 1); }),
          or_absent(row.ceiling_share,
                    [](double share) { return meter(share, percent(share, 0), false); }),
          or_absent(row.sensitivity, significant), why}});
  }
  return str(
      "<h2>Layers</h2>\n<p class=\"sub\">Dense and compiled times are of the same layer; the "
      "ceiling is what the processor reaches without memory in the way; sensitivity is how "
      "much the loss grows when this layer alone is pruned.</p>\n",
      table.html());
}

}  // namespace xgen::cli
