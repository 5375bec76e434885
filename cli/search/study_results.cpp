#include "cli/search/study_results.h"

#include <algorithm>
#include <fstream>
#include <map>

#include "cli/table.h"
#include "search/rank_correlation.h"

namespace xgen::cli {

using nlohmann::json;

namespace {

std::vector<search::Objectives> objectives_of(const std::vector<search::StudyTrial>& trials) {
  std::vector<search::Objectives> all;
  all.reserve(trials.size());
  for (const search::StudyTrial& t : trials) all.push_back(t.objectives);
  return all;
}

search::Objectives worst_of(const std::vector<search::StudyTrial>& trials) {
  search::Objectives worst;
  for (const search::StudyTrial& t : trials) {
    if (worst.empty()) worst = t.objectives;
    for (std::size_t k = 0; k < worst.size(); ++k) worst[k] = std::max(worst[k], t.objectives[k]);
  }
  return worst;
}

}  // namespace

StudyResults results_of(const LoadedSearch& search, const std::vector<Requirement>& required) {
  StudyResults results;
  results.space = search.candidates->space();
  const int last = std::max(0, static_cast<int>(search.config.steps.size()) - 1);
  for (search::StudyTrial& t : study_of(search)->trials()) {
    switch (t.state) {
      case search::TrialState::running:
        results.running.push_back(std::move(t));
        break;
      case search::TrialState::failed:
        results.failed.push_back(std::move(t));
        break;
      case search::TrialState::finished:
        if (t.step != last) {
          results.earlier.push_back(std::move(t));
          break;
        }
        (excess(required, t.objectives) > 0 ? results.beyond : results.kept).push_back(t);
        results.finished.push_back(std::move(t));
        break;
    }
  }
  results.reference = worst_of(results.finished);
  return results;
}

search::StudyTrial find_trial(const LoadedSearch& search, std::int64_t number) {
  const std::vector<search::StudyTrial> trials = study_of(search)->trials();
  if (trials.empty())
    throw UserError(str(search.place(), ": expected trial ", number, ", found no trials yet"));
  if (number < 0 || number >= static_cast<std::int64_t>(trials.size()))
    throw UserError(
        str(search.place(), ": expected a trial from 0 to ", trials.size() - 1, ", got ", number));
  return trials[static_cast<std::size_t>(number)];
}

std::vector<search::StudyTrial> best_of(const std::vector<search::StudyTrial>& trials) {
  // Of many trials few are on the front: each is compared with those alone.
  std::vector<search::StudyTrial> best;
  for (const search::StudyTrial& t : trials) {
    if (std::any_of(best.begin(), best.end(),
                    [&](const auto& b) { return search::dominates(b.objectives, t.objectives); }))
      continue;
    std::erase_if(best,
                  [&](const auto& b) { return search::dominates(t.objectives, b.objectives); });
    best.push_back(t);
  }
  std::stable_sort(best.begin(), best.end(),
                   [](const auto& a, const auto& b) { return a.objectives < b.objectives; });
  return best;
}

double hypervolume_of(const std::vector<search::StudyTrial>& trials,
                      const search::Objectives& reference) {
  // What is dominated adds nothing, though it takes the cube of the number of trials to see so.
  return trials.empty() ? 0 : search::hypervolume(objectives_of(best_of(trials)), reference);
}

std::filesystem::path run_folder(const LoadedSearch& search, const search::StudyTrial& trial) {
  return search.output / "trials" / std::to_string(trial.number) / "run";
}

json row_of(const LoadedSearch& search, const search::Space& space,
            const search::StudyTrial& trial) {
  json row = {{"trial", trial.number}, {"choices", choices_of(space, trial.point)}};
  for (std::size_t k = 0; k < trial.objectives.size(); ++k)
    row[search.config.objectives[k]] = trial.objectives[k];
  return row;
}

json steps_of(const LoadedSearch& search, const StudyResults& results) {
  std::map<search::Point, double> in_the_end;
  for (const search::StudyTrial& t : results.finished) in_the_end[t.point] = t.objectives[0];
  json rows = json::array();
  const std::vector<search::StepConfig>& steps = search.config.steps;
  for (std::size_t k = 0; k + 1 < steps.size(); ++k) {
    std::vector<double> said, found;
    int finished = 0;
    for (const search::StudyTrial& t : results.earlier) {
      if (t.step != static_cast<int>(k)) continue;
      ++finished;
      const auto last = in_the_end.find(t.point);
      if (last == in_the_end.end()) continue;
      said.push_back(t.objectives[0]);
      found.push_back(last->second);
    }
    json& row = rows.emplace_back(
        json{{"name", steps[k].name}, {"finished", finished}, {"of", said.size()}});
    if (said.size() < 2) continue;
    row["rho"] = search::spearman_rho(said, found);
    row["tau"] = search::kendall_tau_b(said, found);
  }
  rows.push_back(
      {{"name", steps.empty() ? "run" : steps.back().name}, {"finished", results.finished.size()}});
  return rows;
}

std::string steps_text(const json& steps) {
  Table table({"<step", "finished", "went to the end", "rho", "tau"});
  const auto correlation = [](const json& step, const char* key) {
    return step.contains(key) && step[key].is_number() ? fixed_text(step[key], 2) : "-";
  };
  for (const json& step : steps)
    table.add({step["name"], step["finished"].dump(), step.contains("of") ? step["of"].dump() : "",
               correlation(step, "rho"), correlation(step, "tau")});
  return table.text() + "\n";
}

json kernel_times_of(const LoadedSearch& search) {
  std::int64_t asked = 0, found = 0;
  std::error_code none;
  for (const auto& trial : std::filesystem::directory_iterator(search.output / "trials", none)) {
    std::ifstream file(trial.path() / "run/report.json");
    const json report = json::parse(file, nullptr, false);
    if (!report.is_object()) continue;
    for (const json& stage : report.value("stages", json::array())) {
      if (!stage.contains("kernel_times")) continue;
      asked += stage["kernel_times"]["asked"].get<std::int64_t>();
      found += stage["kernel_times"]["found"].get<std::int64_t>();
    }
  }
  return {{"asked", asked}, {"found", found}};
}

json failures_of(const StudyResults& results) {
  json rows = json::array();
  for (const search::StudyTrial& t : results.failed)
    rows.push_back({{"trial", t.number}, {"reason", t.reason}});
  return rows;
}

json choices_of(const search::Space& space, const search::Point& point) {
  json choices = json::array();
  for (std::size_t k = 0; k < point.size(); ++k)
    choices.push_back(space.parameters[k].choices[static_cast<std::size_t>(point[k])]);
  return choices;
}

json names_of(const search::Space& space) {
  json names = json::array();
  for (const search::Parameter& p : space.parameters) names.push_back(p.name);
  return names;
}

std::string in_words(const json& choices) {
  std::string text;
  for (const json& choice : choices) text += (text.empty() ? "" : " ") + choice.get<std::string>();
  return text;
}

}  // namespace xgen::cli
