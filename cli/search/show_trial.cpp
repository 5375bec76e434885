#include "cli/search/show_trial.h"

#include "cli/search/study_results.h"
#include "cli/table.h"
#include "codegen/targets.h"
#include "core/error.h"

namespace xgen::cli {

using nlohmann::json;

json show_trial(const LoadedSearch& search, std::int64_t number) {
  const search::StudyTrial trial = find_trial(search, number);
  const search::SearchConfig& config = search.config;
  const search::Space& space = search.candidates->space();
  const search::CandidateCost cost =
      search.candidates->cost(trial.point, find_target(config.target), table_of(search));
  json choices = json::object(), objectives = json::object();
  for (std::size_t k = 0; k < space.parameters.size(); ++k)
    choices[space.parameters[k].name] =
        space.parameters[k].choices[static_cast<std::size_t>(trial.point[k])];
  for (std::size_t k = 0; k < trial.objectives.size(); ++k)
    objectives[config.objectives[k]] = trial.objectives[k];
  return {{"trial", number},
          {"step",
           config.steps.empty() ? "run" : config.steps[static_cast<std::size_t>(trial.step)].name},
          {"state", search::name_of(trial.state)},
          {"reason", trial.reason},
          {"seed", config.seed},
          {"worker", trial.worker},
          {"attempts", trial.attempts},
          {"choices", choices},
          {"objectives", objectives},
          {"predicted_ms", 1e-3 * cost.latency.us},
          {"texts", study_of(search)->kept(number)}};
}

std::string trial_text(const json& shown) {
  std::string text = str("trial ", shown["trial"], " (", shown["step"].get<std::string>(), "), ",
                         shown["state"].get<std::string>(), "\n");
  if (const std::string reason = shown["reason"]; !reason.empty()) text += reason + "\n";
  text += str("seed ", shown["seed"], ", ", shown["attempts"], " attempts, last by ",
              shown["worker"].get<std::string>(), "\n\n");
  Table table({"<", ""});
  for (const auto& [name, value] : shown["objectives"].items())
    table.add({name, fixed_text(value, 4)});
  table.add({"predicted, ms", fixed_text(shown["predicted_ms"], 4)});
  for (const auto& [name, choice] : shown["choices"].items())
    table.add({name, choice.get<std::string>()});
  for (const auto& [name, kept] : shown["texts"].items())
    table.add({"--text " + name,
               bytes_text(static_cast<double>(kept.get_ref<const std::string&>().size()))});
  return text + table.text();
}

std::string text_of_trial(const json& shown, const std::string& name) {
  const json& texts = shown["texts"];
  if (texts.contains(name)) return texts[name];
  std::string known;
  for (const auto& [key, unused] : texts.items()) known += str(known.empty() ? "" : ", ", key);
  throw UserError(str("trial ", shown["trial"], ": expected a text that is kept of it (",
                      known.empty() ? "none is" : known, "), got \"", name, "\""));
}

}  // namespace xgen::cli
