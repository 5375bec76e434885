#include "cli/search/search_run.h"

#include <limits>
#include <map>

#include "cli/latency_reports.h"
#include "codegen/targets.h"
#include "core/config_file.h"
#include "search/candidate_cost.h"
#include "search/sql_study.h"

namespace xgen::cli {

using nlohmann::json;

std::filesystem::path LoadedSearch::beside(const std::string& relative) const {
  return std::filesystem::absolute(file).parent_path() / relative;
}

std::string LoadedSearch::place() const {
  if (config.study.empty()) return (output / "study.db").string();
  return config.study.find("://") != std::string::npos ? config.study
                                                       : beside(config.study).string();
}

LoadedSearch load_search(const std::string& file, const std::string& output) {
  LoadedSearch search;
  search.file = file;
  ConfigReader(load_config_json(file), file).read(search.config);
  search.output = output.empty() ? std::filesystem::path("runs") / search.config.name
                                 : std::filesystem::path(output);
  return search;
}

latency::LatencyTable table_of(const LoadedSearch& search) {
  const std::string& file = search.config.latency_table;
  return load_table({search.config.target, file.empty() ? "" : search.beside(file).string()});
}

search::Problem problem_of(const LoadedSearch& search, const latency::LatencyTable& table) {
  const auto space = std::get<search::MacroSpace>(search.config.space);
  search::Problem problem;
  problem.space = space.space();
  problem.graph = [space](const search::Point& point) { return space.labelled(point); };
  const std::vector<std::string> objectives = search.config.objectives;
  const Target target = find_target(search.config.target);
  auto asked = std::make_shared<std::map<search::Point, search::Objectives>>();
  problem.known = [=, &table](const search::Point& point) {
    const auto [at, first] = asked->try_emplace(point);
    if (!first) return at->second;
    const search::CandidateCost cost =
        search::cost_of(space.network(point, std::nullopt), target, table);
    for (const std::string& name : objectives) {
      at->second.push_back(name == "latency_ms"   ? 1e-3 * cost.latency.us
                           : name == "size_bytes" ? static_cast<double>(cost.size_bytes)
                           : name == "peak_bytes" ? static_cast<double>(cost.peak_bytes)
                                                  : std::numeric_limits<double>::quiet_NaN());
    }
    return at->second;
  };
  return problem;
}

search::StudySettings settings_of(const LoadedSearch& search) {
  search::SearchConfig config = search.config;
  const auto written = ConfigWriter::written(config);
  return {config.name,       written.at("space").dump(),
          config.objectives, config.sampler,
          config.seed,       config.in_flight};
}

std::unique_ptr<search::StudyStore> study_of(const LoadedSearch& search) {
  return search::open_study(search.place(), search.config.name);
}

}  // namespace xgen::cli
