#include "cli/search/best.h"

#include <algorithm>

#include "cli/requirements_error.h"
#include "cli/search/found.h"
#include "cli/table.h"
#include "codegen/targets.h"
#include "core/error.h"

namespace xgen::cli {

using nlohmann::json;

namespace {

// A trial that was trained and measured, and what it misses.
struct Beyond {
  std::int64_t trial;
  Missed missed;
};

std::vector<Beyond> all_beyond(const LoadedSearch& search, const std::vector<Requirement>& required,
                               const StudyResults& results) {
  std::vector<Beyond> all;
  for (const search::StudyTrial& t : results.beyond)
    all.push_back({t.number,
                   {excess(required, t.objectives),
                    misses(required, t.objectives, search.config.objectives)}});
  // What is required of something that is no objective is known from the report alone.
  const auto study = study_of(search);
  for (const search::StudyTrial& t : results.failed) {
    const std::map<std::string, std::string> texts = study->kept(t.number);
    const auto report = texts.find("report");
    if (report == texts.end()) continue;
    const Missed missed = missed_beside_objectives(json::parse(report->second), search.config);
    if (missed.excess > 0) all.push_back({t.number, missed});
  }
  return all;
}

}  // namespace

void check_one_is_kept(const LoadedSearch& search, const std::vector<Requirement>& required,
                       const StudyResults& results) {
  if (!results.kept.empty()) return;
  const std::vector<Beyond> all = all_beyond(search, required, results);
  if (all.empty()) return;
  const auto nearest = std::min_element(
      all.begin(), all.end(),
      [](const Beyond& a, const Beyond& b) { return a.missed.excess < b.missed.excess; });
  throw RequirementsError(str(search.file.string(), ": none of ", all.size(),
                              " finished trials keeps what is required; the nearest, trial ",
                              nearest->trial, ", has ", nearest->missed.text));
}

json best_trials(const LoadedSearch& search, const std::vector<std::string>& more) {
  const search::SearchConfig& config = search.config;
  std::vector<Requirement> required = requirements_of(config.requirements, config.objectives);
  for (const std::string& text : more) required.push_back(parse_requirement(text, config));
  const StudyResults results = results_of(search, required);
  check_one_is_kept(search, required, results);
  if (results.finished.empty())
    throw UserError(str(search.place(), ": expected trials that finished, found none: ",
                        results.running.size(), " running, ", results.failed.size(), " failed"));
  const Target target = find_target(config.target);
  const latency::LatencyTable table = table_of(search);
  json bounds = json::array(), rows = json::array();
  for (const Requirement& r : required) bounds.push_back({{"key", r.key}, {"most", r.most}});
  for (const search::StudyTrial& t : best_of(results.kept)) {
    const std::filesystem::path run = run_folder(search, t);
    json row = row_of(search, results.space, t);
    row["predicted_ms"] = 1e-3 * search.candidates->cost(t.point, target, table).latency.us;
    // A study that was imported has no runs.
    row["run"] = std::filesystem::exists(run) ? json(run.string()) : json();
    rows.push_back(row);
  }
  return {{"name", config.name},
          {"objectives", config.objectives},
          {"parameters", names_of(results.space)},
          {"requirements", bounds},
          {"finished", results.finished.size()},
          {"beyond_requirements", results.beyond.size()},
          {"reference", results.reference},
          {"hypervolume", hypervolume_of(results.kept, results.reference)},
          {"best", rows}};
}

std::string best_text(const json& best) {
  std::string text = str(best["finished"],
                         " trials finished, beyond what is required: ", best["beyond_requirements"],
                         "\nhypervolume ", best["hypervolume"].get<double>(), ", up to");
  const json& names = best["objectives"];
  std::vector<std::string> header = {"trial"};
  for (std::size_t k = 0; k < names.size(); ++k) {
    text += str(k == 0 ? " " : ", ", names[k].get<std::string>(), " ",
                best["reference"][k].get<double>());
    header.push_back(names[k]);
  }
  header.insert(header.end(), {"predicted, ms", "<candidate", "<run"});
  Table table(header);
  for (const json& row : best["best"]) {
    std::vector<std::string> cells = {row["trial"].dump()};
    for (const json& name : names) cells.push_back(fixed_text(row[name.get<std::string>()], 4));
    cells.push_back(fixed_text(row["predicted_ms"], 4));
    cells.push_back(in_words(row["choices"]));
    cells.push_back(row["run"].is_null() ? "-" : row["run"].get<std::string>());
    table.add(cells);
  }
  return text + "\n\n" + table.text();
}

}  // namespace xgen::cli
