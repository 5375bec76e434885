#include "search/study_json.h"

#include <set>

#include "core/config.h"

namespace xgen::search {

namespace {

using nlohmann::json;
using nlohmann::ordered_json;

TrialState state_of(const std::string& name) {
  for (const TrialState state : {TrialState::running, TrialState::finished}) {
    if (name == name_of(state)) return state;
  }
  return TrialState::failed;
}

// A trial's fields, declared once for reading and writing.
struct TrialFields {
  StudyTrial trial;
  std::string state = name_of(TrialState::running);

  template <class V>
  void describe(V& v) {
    v.number("number", trial.number, {0}, "From 0 on, without gaps.", Need::required);
    v.choice(
        "state", state,
        {name_of(TrialState::running), name_of(TrialState::finished), name_of(TrialState::failed)},
        "How far it is.", Need::required);
    v.numbers("point", trial.point, {0}, "Of each parameter the index of its choice.",
              Need::required);
    v.number("step", trial.step, {0}, "Of the study's steps.");
    v.numbers("objectives", trial.objectives, {}, "Where finished.");
    v.text("reason", trial.reason, "Where failed.");
    v.text("worker", trial.worker, "That has it, or had it last.");
    v.number("attempts", trial.attempts, {1}, "Workers that began it.");
  }
  std::optional<ConfigProblem> problem() const {
    const bool finished = state == name_of(TrialState::finished);
    if (finished == !trial.objectives.empty()) return std::nullopt;
    return ConfigProblem{"objectives", finished ? "expected what the finished trial found, got none"
                                                : str("expected none of a trial that is ", state,
                                                      ", got ", trial.objectives.size())};
  }
};

}  // namespace

ordered_json to_json(const StudyTrial& trial) {
  TrialFields fields{trial, name_of(trial.state)};
  return ConfigWriter::written(fields);
}

StudyTrial trial_of(const json& json, const std::string& where) {
  auto fields = read_config<TrialFields>(json, where);
  fields.trial.state = state_of(fields.state);
  return std::move(fields.trial);
}

ordered_json to_json(const StudySettings& s) {
  return {{"name", s.name},
          {"space", ordered_json::parse(s.space)},
          {"objectives", s.objectives},
          {"sampler", s.sampler},
          {"seed", s.seed},
          {"in_flight", s.in_flight},
          {"steps", s.steps},
          {"reduction", s.reduction},
          {"bootstrap", s.bootstrap}};
}

std::string difference(const StudySettings& expected, const json& found) {
  const json wanted = to_json(expected);
  std::string text;
  std::set<std::string> told;  // what is missing from a list is one entry each, with one place
  for (const json& change : json::diff(wanted, found)) {
    const auto path = change.at("path").get<std::string>();
    const json::json_pointer at(path);
    const auto shown = [&](const json& settings) {
      return settings.contains(at) ? detail::describe_found(settings.at(at)) : "nothing";
    };
    if (told.insert(path).second)
      text += str(text.empty() ? "" : "; ", path.empty() ? "/" : path, ": expected ", shown(wanted),
                  ", got ", shown(found));
  }
  return text;
}

}  // namespace xgen::search
