#include "search/conditions.h"

#include <algorithm>

#include "core/error.h"
#include "core/suggest.h"

namespace xgen::search {

namespace {

Clause clause_of(const Space& space, const ClauseConfig& config, const std::string& where) {
  std::vector<std::string> names;
  for (const Parameter& p : space.parameters) names.push_back(p.name);
  const auto at = std::find(names.begin(), names.end(), config.parameter);
  if (at == names.end())
    throw UserError(str(where, "/parameter: expected a parameter of the space, got \"",
                        config.parameter, "\"", did_you_mean(config.parameter, names)));
  const auto parameter = static_cast<std::size_t>(at - names.begin());
  const std::vector<std::string>& choices = space.parameters[parameter].choices;
  Clause clause{parameter, std::vector<bool>(choices.size(), false)};
  for (std::size_t i = 0; i < config.is.size(); ++i) {
    const auto choice = std::find(choices.begin(), choices.end(), config.is[i]);
    if (choice == choices.end())
      throw UserError(str(where, "/is/", i, ": expected one of ", detail::quoted_list(choices),
                          ", got \"", config.is[i], "\"", did_you_mean(config.is[i], choices)));
    clause.holds[static_cast<std::size_t>(choice - choices.begin())] = true;
  }
  return clause;
}

std::vector<Clause> clauses_of(const Space& space, const std::vector<ClauseConfig>& configs,
                               const std::string& where) {
  std::vector<Clause> clauses;
  for (std::size_t i = 0; i < configs.size(); ++i)
    clauses.push_back(clause_of(space, configs[i], str(where, "/", i)));
  return clauses;
}

std::string text_of(const std::vector<ClauseConfig>& clauses) {
  std::string text;
  for (const ClauseConfig& c : clauses)
    text += str(text.empty() ? "" : " and ", c.parameter, " = ", detail::quoted_list(c.is));
  return text;
}

}  // namespace

Space with_conditions(Space space, const std::vector<ConditionConfig>& conditions,
                      const std::string& where) {
  const std::size_t own = space.conditions.size();
  for (std::size_t i = 0; i < conditions.size(); ++i) {
    const std::string place = str(where, "/", i);
    space.conditions.push_back({clauses_of(space, conditions[i].when, place + "/when"),
                                clauses_of(space, conditions[i].then, place + "/then")});
  }
  RandomStream random = Random(0).stream("conditions");
  const Point first(space.parameters.size(), 0);
  if (!space.repaired(first, {}, random))
    throw UserError(str(where, ": no candidate keeps all of them"));
  for (std::size_t i = 0; i < conditions.size(); ++i) {
    if (!space.repaired(first, space.conditions[own + i].when, random))
      throw UserError(str(where, "/", i, ": contradicts the others: no candidate has ",
                          text_of(conditions[i].when)));
  }
  return space;
}

}  // namespace xgen::search
