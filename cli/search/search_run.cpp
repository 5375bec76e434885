#include "cli/search/search_run.h"

#include <algorithm>
#include <limits>
#include <map>
#include <memory>

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
  // Each candidate is compiled once.
  const auto cost = [=, &table,
                     asked = std::make_shared<std::map<search::Point, search::CandidateCost>>()](
                        const search::Point& point) -> const search::CandidateCost& {
    const auto at = asked->find(point);
    if (at != asked->end()) return at->second;
    return asked->emplace(point, search::cost_of(space.network(point, std::nullopt), target, table))
        .first->second;
  };
  problem.known = [=](const search::Point& point) {
    const search::CandidateCost& c = cost(point);
    search::Objectives known;
    for (const std::string& name : objectives) {
      known.push_back(name == "latency_ms"   ? 1e-3 * c.latency.us
                      : name == "size_bytes" ? static_cast<double>(c.size_bytes)
                      : name == "peak_bytes" ? static_cast<double>(c.peak_bytes)
                                             : std::numeric_limits<double>::quiet_NaN());
    }
    return known;
  };
  const search::SearchLimits limits = search.config.requirements;
  problem.violation = [=](const search::Point& point) {
    const search::CandidateCost& c = cost(point);
    const auto beyond = [](double value, const std::optional<double>& most) {
      return most ? std::max(0.0, value / std::max(1e-9, *most) - 1) : 0.0;
    };
    return beyond(1e-3 * c.latency.low_us, limits.latency_ms_max) +
           beyond(static_cast<double>(c.size_bytes), limits.size_bytes_max) +
           beyond(static_cast<double>(c.peak_bytes), limits.peak_ram_bytes_max);
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

bool keeps_requirements(const search::SearchConfig& config, const search::Objectives& objectives) {
  const search::SearchLimits& limits = config.requirements;
  for (std::size_t k = 0; k < objectives.size(); ++k) {
    const std::string& name = config.objectives[k];
    const std::optional<double>& most = name == "latency_ms"   ? limits.latency_ms_max
                                        : name == "size_bytes" ? limits.size_bytes_max
                                        : name == "peak_bytes" ? limits.peak_ram_bytes_max
                                                               : std::nullopt;
    if (most && objectives[k] > *most) return false;
  }
  return true;
}

std::unique_ptr<search::StudyStore> study_of(const LoadedSearch& search) {
  return search::open_study(search.place(), search.config.name);
}

}  // namespace xgen::cli
