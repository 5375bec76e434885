#include "cli/search/study_results.h"

#include <algorithm>
#include <variant>

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
  results.space = std::visit([](const auto& space) { return space.space(); }, search.config.space);
  for (search::StudyTrial& t : study_of(search)->trials()) {
    switch (t.state) {
      case search::TrialState::running:
        results.running.push_back(std::move(t));
        break;
      case search::TrialState::failed:
        results.failed.push_back(std::move(t));
        break;
      case search::TrialState::finished:
        (excess(required, t.objectives) > 0 ? results.beyond : results.kept).push_back(t);
        results.finished.push_back(std::move(t));
        break;
    }
  }
  results.reference = worst_of(results.finished);
  return results;
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
