#include "cli/search/found.h"

#include <algorithm>
#include <map>

#include "cli/search/requirement.h"

namespace xgen::cli {

using nlohmann::json;

namespace {

bool compiles(const json& report) { return report.at("stages").back().at("kind") == "compile"; }

}  // namespace

search::Objectives found_by(const json& report, const std::vector<std::string>& names,
                            const search::Objectives& known) {
  const json& last_stage = report.at("stages").back();
  const bool compiled = compiles(report);
  const json& last = compiled ? last_stage.at("variants").back() : last_stage;
  const std::map<std::string, std::string> keys = {
      {"latency_ms", "latency_ms"}, {"size_bytes", "size_bytes"}, {"peak_bytes", "memory_bytes"}};
  search::Objectives objectives;
  for (std::size_t k = 0; k < names.size(); ++k) {
    if (names[k] == "error")
      objectives.push_back(100 * (1 - last.at("validation").at("top1").get<double>()));
    else
      objectives.push_back(compiled ? last.at(keys.at(names[k])).get<double>() : known[k]);
  }
  return objectives;
}

Missed missed_beside_objectives(const json& report, const search::SearchConfig& config) {
  if (!compiles(report)) return {};
  std::vector<std::string> beside = search::objective_names();
  std::erase_if(beside, [&](const std::string& name) {
    return std::find(config.objectives.begin(), config.objectives.end(), name) !=
           config.objectives.end();
  });
  const std::vector<Requirement> required = requirements_of(config.requirements, beside);
  const search::Objectives found = found_by(report, beside, search::Objectives(beside.size()));
  return {excess(required, found), misses(required, found, beside)};
}

}  // namespace xgen::cli
