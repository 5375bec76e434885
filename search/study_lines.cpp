#include "search/study_lines.h"

#include <nlohmann/json.hpp>
#include <sstream>

#include "core/config.h"
#include "search/study_json.h"

namespace xgen::search {

namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr const char* kFormat = "xgen study";
constexpr int kVersion = 1;

// The first line, without settings and inputs.
struct Header {
  std::string format;
  int version = 0;
  std::int64_t trials = 0;

  template <class V>
  void describe(V& v) {
    v.choice("format", format, {kFormat}, "What the file is.", Need::required);
    v.number("version", version, {kVersion, kVersion}, "Of the format.", Need::required);
    v.number("trials", trials, {0}, "Lines that follow.", Need::required);
  }
};

json parsed(const std::string& line, const std::string& where) {
  json value = json::parse(line, nullptr, false);
  if (value.is_discarded())
    throw UserError(str(where, ": expected a JSON object, got ",
                        line.empty() ? "an empty line" : detail::describe_found(line)));
  return value;
}

// The value of a key, which is not there any more; null without one.
json taken(json& object, const char* key) {
  if (!object.is_object() || !object.contains(key)) return {};
  json value = std::move(object[key]);
  object.erase(key);
  return value;
}

struct FirstLine {
  std::int64_t trials = 0;  ///< that follow.
  StudyInputs inputs;
};

FirstLine read_first_line(const std::string& line, const std::string& where,
                          const StudySettings& expected) {
  json object = parsed(line, where), settings = taken(object, "settings");
  const json inputs = taken(object, "inputs");
  const auto header = read_config<Header>(object, where);
  if (!settings.is_object())
    throw UserError(str(where, ": /settings: expected the study's settings, got ",
                        settings.is_null() ? "nothing" : detail::describe_found(settings)));
  settings.emplace("bootstrap", 0);  // as it was before files said so
  const std::string differs = difference(expected, settings);
  if (!differs.empty())
    throw UserError(str(where, ": /settings: another study than the config's; ", differs));
  if (!inputs.is_null() && !inputs.is_object())
    throw UserError(str(where, ": /inputs: expected what the study measured, by name, got ",
                        detail::describe_found(inputs)));
  FirstLine first{header.trials, {}};
  for (const auto& [name, value] : inputs.items()) first.inputs[name] = value.dump();
  return first;
}

StudyTrial read_trial(const std::string& line, const std::string& where, std::int64_t number,
                      const StudySettings& settings, const Space& space) {
  StudyTrial trial = trial_of(parsed(line, where), where);
  if (trial.number != number)
    throw UserError(str(where, ": /number: expected ", number, ", got ", trial.number));
  if (!space.contains(trial.point))
    throw UserError(str(where, ": /point: expected a candidate of the study's space, got ",
                        json(trial.point).dump()));
  if (static_cast<std::size_t>(trial.step) >= settings.steps.size())
    throw UserError(
        str(where, ": /step: expected less than ", settings.steps.size(), ", got ", trial.step));
  if (trial.state == TrialState::finished && trial.objectives.size() != settings.objectives.size())
    throw UserError(str(where, ": /objectives: expected ", settings.objectives.size(), ", got ",
                        trial.objectives.size()));
  return trial;
}

}  // namespace

std::string study_lines(const StudySettings& settings, const StudyContents& contents) {
  ordered_json header = {{"format", kFormat},
                         {"version", kVersion},
                         {"trials", contents.trials.size()},
                         {"settings", to_json(settings)}};
  for (const auto& [name, text] : contents.inputs)
    header["inputs"][name] = ordered_json::parse(text);
  // What a failed run said may be no UTF-8.
  const auto line = [](const ordered_json& object) {
    return object.dump(-1, ' ', false, ordered_json::error_handler_t::replace) + "\n";
  };
  std::string text = line(header);
  for (const StudyTrial& trial : contents.trials) text += line(to_json(trial));
  return text;
}

StudyContents read_study_lines(const std::string& text, const std::string& file,
                               const StudySettings& expected, const Space& space) {
  std::istringstream lines(text);
  std::string line;
  std::getline(lines, line);
  std::int64_t number = 0;  // of the next trial
  const auto where = [&] { return str(file, ": line ", number + 2); };
  FirstLine first = read_first_line(line, str(file, ": line 1"), expected);
  std::vector<StudyTrial> trials;
  for (; std::getline(lines, line); ++number)
    trials.push_back(read_trial(line, where(), number, expected, space));
  if (number != first.trials)
    throw UserError(str(file, ": line 1: /trials: expected as many as follow, ", number, ", got ",
                        first.trials, "; the file may have been cut"));
  while (!trials.empty() && trials.back().state == TrialState::running) trials.pop_back();
  for (StudyTrial& trial : trials) {
    if (trial.state != TrialState::running) continue;
    trial.state = TrialState::failed;
    trial.reason = "was under way when the study was exported";
  }
  return {std::move(trials), std::move(first.inputs)};
}

}  // namespace xgen::search
