#include "cli/search/study_report.h"

#include <algorithm>

#include "cli/search/study_results.h"
#include "search/importance.h"

namespace xgen::cli {

namespace {

using nlohmann::json;

// What was known after each of the finished trials, by number.
json history_of(const StudyResults& results, const std::vector<Requirement>& required) {
  json history = json::array();
  std::vector<search::StudyTrial> front;  // of those that keep what is required
  double volume = 0;
  for (const search::StudyTrial& t : results.finished) {
    const bool dominated = std::any_of(front.begin(), front.end(), [&](const auto& other) {
      return search::dominates(other.objectives, t.objectives);
    });
    if (excess(required, t.objectives) <= 0 && !dominated) {
      front.push_back(t);
      front = best_of(front);
      volume = hypervolume_of(front, results.reference);
    }
    history.push_back({{"trial", t.number},
                       {"finished", history.size() + 1},
                       {"best", front.empty() ? json() : json(front[0].objectives[0])},
                       {"hypervolume", volume}});
  }
  return history;
}

// For each objective, over all that finished.
json importance_of(const StudyResults& results, const std::vector<std::string>& objectives) {
  json all = json::array();
  if (results.finished.empty()) return all;
  std::vector<search::Point> points;
  for (const search::StudyTrial& t : results.finished) points.push_back(t.point);
  for (std::size_t k = 0; k < objectives.size(); ++k) {
    std::vector<double> values;
    for (const search::StudyTrial& t : results.finished) values.push_back(t.objectives[k]);
    all.push_back({{"objective", objectives[k]},
                   {"shares", search::importance(results.space, points, values)}});
  }
  return all;
}

}  // namespace

json study_report(const LoadedSearch& search) {
  const search::SearchConfig& config = search.config;
  const std::vector<Requirement> required = requirements_of(config.requirements, config.objectives);
  const StudyResults results = results_of(search, required);
  json bounds = json::array(), best = json::array(), points = json::array(), beyond = json::array();
  for (const Requirement& r : required) bounds.push_back({{"key", r.key}, {"most", r.most}});
  for (const search::StudyTrial& t : best_of(results.kept))
    best.push_back(row_of(search, results.space, t));
  for (const search::StudyTrial& t : results.finished) {
    json& row = points.emplace_back(row_of(search, results.space, t));
    row["kept"] = excess(required, t.objectives) <= 0;
  }
  for (const search::StudyTrial& t : results.beyond) {
    json& row = beyond.emplace_back(row_of(search, results.space, t));
    row["misses"] = misses(required, t.objectives, config.objectives);
  }
  return {{"name", config.name},
          {"trials", config.trials},
          {"running", results.running.size()},
          {"finished", results.finished.size()},
          {"failed", results.failed.size()},
          {"beyond_requirements", results.beyond.size()},
          {"sampler", config.sampler},
          {"seed", config.seed},
          {"objectives", config.objectives},
          {"parameters", names_of(results.space)},
          {"requirements", bounds},
          {"reference", results.reference},
          {"hypervolume", hypervolume_of(results.kept, results.reference)},
          {"best", best},
          {"points", points},
          {"history", history_of(results, required)},
          {"importance", importance_of(results, config.objectives)},
          {"failures", failures_of(results)},
          {"beyond", beyond}};
}

}  // namespace xgen::cli
