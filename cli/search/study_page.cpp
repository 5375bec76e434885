#include <algorithm>
#include <map>

#include "cli/run/report_charts.h"
#include "cli/run/report_sections.h"
#include "cli/run/report_style.h"
#include "cli/run/report_values.h"
#include "cli/search/study_report.h"
#include "cli/search/study_results.h"
#include "core/error.h"

namespace xgen::cli {

namespace {

using nlohmann::json;

// Below so many trials the best tenth are too few to tell which parameters decide.
constexpr std::size_t kTrialsForImportance = 50;

std::string title_of(const std::string& objective) {
  static const std::map<std::string, std::string> titles = {{"error", "error, %"},
                                                            {"latency_ms", "latency, ms"},
                                                            {"size_bytes", "size, bytes"},
                                                            {"peak_bytes", "peak memory, bytes"}};
  const auto at = titles.find(objective);
  return at == titles.end() ? objective : at->second;
}

std::string with_unit(const std::string& objective, double value) {
  if (objective == "error") return fixed(value, 2) + " %";
  if (objective == "latency_ms") return milliseconds(value);
  return bytes(value);
}

std::string header(const json& r) {
  std::string about = str(r["finished"], " of ", r["trials"], " trials finished, ", r["running"],
                          " running, ", r["failed"], " failed");
  if (r["beyond_requirements"] > 0)
    about += str("; beyond what is required: ", r["beyond_requirements"]);
  about += str(" · sampler ", r["sampler"].get<std::string>(), " · seed ", r["seed"]);
  for (const json& bound : r["requirements"])
    about += str(" · ", bound["key"].get<std::string>(), " ", plain(bound["most"]));
  return str("<h1>", escaped(r["name"]), "</h1>\n<p class=\"sub\">", escaped(about), "</p>\n");
}

// The least of each objective, though not of one trial.
std::string tiles(const json& r) {
  std::string html;
  for (const json& name : r["objectives"]) {
    const json* least = nullptr;
    for (const json& row : r["best"]) {
      if (least == nullptr || row[name.get<std::string>()] < (*least)[name.get<std::string>()])
        least = &row;
    }
    if (least == nullptr) return "";
    html += str("<div class=\"tile\"><span>least ", escaped(name), "</span><b>",
                with_unit(name, (*least)[name.get<std::string>()]), "</b><span>trial ",
                (*least)["trial"], "</span></div>\n");
  }
  return str("<div class=\"tiles\">\n", html, "<div class=\"tile\"><span>hypervolume</span><b>",
             significant(r["hypervolume"]),
             "</b><span>up to the worst of each</span></div>\n</div>\n");
}

// The first objective over the second.
std::string pareto_section(const json& r) {
  if (r["objectives"].size() < 2) return "";
  const std::string y = r["objectives"][0], x = r["objectives"][1];
  ScatterChart chart;
  chart.title = str("Trials: ", y, " over ", x);
  chart.x_label = title_of(x);
  chart.y_label = title_of(y);
  chart.less_y_is_better = chart.only_front_labelled = true;
  for (const json& p : r["points"]) {
    const std::string number = p["trial"].dump();
    if (p["kept"])
      chart.points.push_back({p[x], p[y], number});
    else
      chart.beside.push_back({p[x], p[y], number + ", beyond what is required"});
  }
  return scatter_chart(chart);
}

std::string history_section(const json& r) {
  const std::string first = r["objectives"][0];
  Series best{"", {}}, volume{"", {}};
  for (const json& h : r["history"]) {
    const double count = h["finished"];
    const std::string where = str("trial ", h["trial"], ": ");
    if (!h["best"].is_null())
      best.points.push_back({count, h["best"], where + with_unit(first, h["best"])});
    volume.points.push_back({count, h["hypervolume"], where + significant(h["hypervolume"])});
  }
  const std::string over = "trials finished";
  return line_chart({title_of(first) + ": the least so far", over, false, {best}, {}}) +
         line_chart({"Hypervolume so far", over, false, {volume}, {}});
}

std::string best_section(const json& r) {
  HtmlTable table{{{"trial", "n"}}, {}};
  for (const json& name : r["objectives"]) table.columns.push_back({escaped(title_of(name)), "n"});
  table.columns.push_back({"candidate", "why"});
  for (const json& row : r["best"]) {
    std::vector<std::string> cells = {row["trial"].dump()};
    for (const json& name : r["objectives"])
      cells.push_back(with_unit(name, row[name.get<std::string>()]));
    cells.push_back(escaped(in_words(row["choices"])));
    table.rows.push_back({cells});
  }
  return table.rows.empty() ? "" : "<h2>What no other trial dominates</h2>\n" + table.html();
}

std::string importance_section(const json& r) {
  if (r["importance"].empty()) return "";
  HtmlTable table{{{"parameter", "layer"}}, {}};
  for (const json& of : r["importance"])
    table.columns.push_back({str("for ", escaped(of["objective"])), "n"});
  for (std::size_t k = 0; k < r["parameters"].size(); ++k) {
    std::vector<std::string> cells = {escaped(r["parameters"][k])};
    for (const json& of : r["importance"]) {
      const double share = of["shares"][k];
      cells.push_back(meter(share, percent(share, 0)));
    }
    table.rows.push_back({cells});
  }
  std::string about =
      "How much each parameter decides whether a candidate is among the best tenth (PED-ANOVA).";
  if (r["points"].size() < kTrialsForImportance)
    about += str(" Of ", r["points"].size(), " trials this is little more than a guess.");
  return str("<h2>Importance of parameters</h2>\n<p class=\"sub\">", about, "</p>\n", table.html());
}

// Trials that failed alike share a row.
std::string failures_section(const json& r) {
  std::vector<std::pair<std::string, std::string>> trials_of;  // by reason, in order
  for (const json& f : r["failures"]) {
    const std::string reason = f["reason"], number = f["trial"].dump();
    const auto at = std::find_if(trials_of.begin(), trials_of.end(),
                                 [&](const auto& known) { return known.first == reason; });
    if (at == trials_of.end())
      trials_of.emplace_back(reason, number);
    else
      at->second += ", " + number;
  }
  HtmlTable table{{{"failed trials", "layer"}, {"reason", "why"}}, {}};
  for (const auto& [reason, numbers] : trials_of)
    table.rows.push_back({{numbers, escaped(reason)}});
  return table.rows.empty() ? "" : "<h2>Failed</h2>\n" + table.html();
}

std::string beyond_section(const json& r) {
  HtmlTable table{{{"trial", "n"}, {"what it misses", "layer"}, {"candidate", "why"}}, {}};
  for (const json& row : r["beyond"])
    table.rows.push_back(
        {{row["trial"].dump(), escaped(row["misses"]), escaped(in_words(row["choices"]))}});
  return table.rows.empty() ? "" : "<h2>Beyond what is required</h2>\n" + table.html();
}

}  // namespace

std::string study_page(const json& report) {
  const std::string charts = pareto_section(report) + history_section(report);
  return html_page(
      report["name"].get<std::string>() + " - xgen search",
      str(header(report), tiles(report),
          charts.empty() ? "" : str("<h2>Trials</h2>\n<div class=\"charts\">", charts, "</div>\n"),
          best_section(report), importance_section(report), failures_section(report),
          beyond_section(report)));
}

}  // namespace xgen::cli
