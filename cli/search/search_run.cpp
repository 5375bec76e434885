#include "cli/search/search_run.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <memory>
#include <set>

#include "cli/config.h"
#include "cli/latency_reports.h"
#include "cli/search/requirement.h"
#include "codegen/targets.h"
#include "core/config_file.h"
#include "core/ir/infer_shapes.h"
#include "core/suggest.h"
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
  prune::PruneConfig base;
  if (!search.config.run.empty()) {
    const std::filesystem::path run = search.beside(search.config.run);
    search.run = load_config_json(run);
    for (const Stage& stage : load_config(run, {}).config.stages) {
      if (const auto* prune = std::get_if<PruneStage>(&stage)) base = *prune;
    }
  }
  if (auto* model = std::get_if<search::ModelSpace>(&search.config.space))
    model->resolve(search.beside(""));
  search.candidates = std::make_shared<search::Candidates>(
      search.config.space, search.config.compression, base, search.config.conditions, file + ":");
  search.output = output.empty() ? std::filesystem::path("runs") / search.config.name
                                 : std::filesystem::path(output);
  return search;
}

latency::LatencyTable table_of(const LoadedSearch& search) {
  const std::string& file = search.config.latency_table;
  return load_table({search.config.target, file.empty() ? "" : search.beside(file).string()});
}

namespace {

// That the run's config with these overrides is one: keys that they make need not be known.
void check_run(const LoadedSearch& search, const std::vector<std::string>& overrides,
               const std::string& place) {
  const std::filesystem::path file = search.beside(search.config.run);
  const RunConfig run = [&] {
    try {
      return load_config(file, overrides).config;
    } catch (const UserError& error) {
      throw UserError(place + error.what());
    }
  }();
  const std::vector<std::string>& objectives = search.config.objectives;
  if (run.data.validation_share == 0 &&
      std::find(objectives.begin(), objectives.end(), "error") != objectives.end())
    throw UserError(str(place, file.string(),
                        ": /data/validation_share: expected more than 0, as the objective "
                        "\"error\" is that on the validation samples, got 0"));
}

}  // namespace

std::vector<std::string> data_overrides_of(const LoadedSearch& search, const search::Point& point) {
  const std::optional<std::int64_t> side = search.candidates->resolution(point);
  if (!side) return {};
  return {"data.resize=" + json{{"height", *side}, {"width", *side}}.dump()};
}

std::vector<std::string> overrides_of(const LoadedSearch& search, const search::Point& point,
                                      std::size_t step) {
  const std::string file = search.beside(search.config.run).string();
  const std::vector<search::StepConfig>& steps = search.config.steps;
  json run = search.run;
  std::vector<std::string> overrides;
  std::vector<std::string> wanted;  // stages; none: all
  if (!steps.empty()) {
    for (const auto& [key, value] : steps[step].set) {
      const bool whole = value == std::floor(value) && std::abs(value) < 1e15;
      overrides.push_back(str(
          key, "=", whole ? json(static_cast<std::int64_t>(value)).dump() : json(value).dump()));
    }
    wanted = steps[step].stages;
  }
  const std::string place = steps.empty() ? "" : str(search.file.string(), ": /steps/", step, ": ");
  try {
    for (const std::string& override : overrides) apply_override(run, override);
  } catch (const UserError& error) {
    throw UserError(place + error.what());
  }
  std::vector<std::string> names;
  for (const json& stage : run.at("stages")) names.push_back(stage.at("name"));
  for (const std::string& name : wanted) {
    if (std::find(names.begin(), names.end(), name) == names.end())
      throw UserError(str(place, "expected a stage of ", file, ", got \"", name, "\"",
                          did_you_mean(name, names)));
  }
  json compressed;
  try {
    compressed = search.candidates->stages(run["stages"], point);
  } catch (const UserError& error) {
    throw UserError(str(file, ": ", error.what()));
  }
  json stages = json::array();
  for (const json& stage : compressed) {
    if (wanted.empty() || std::find(wanted.begin(), wanted.end(), stage["name"]) != wanted.end())
      stages.push_back(stage);
  }
  // What the step sets stands in the stages; what they do not hold follows.
  std::erase_if(overrides, [](const std::string& o) { return o.starts_with("stages."); });
  overrides.push_back("stages=" + stages.dump());
  for (std::string& override : data_overrides_of(search, point))
    overrides.push_back(std::move(override));
  check_run(search, overrides, place);
  return overrides;
}

ir::Graph network_of(const LoadedSearch& search, const search::Point& point) {
  return ir::infer_shapes(search.candidates->network(point, Random(search.config.seed)));
}

std::vector<std::string> overrides_of_run(const LoadedSearch& search,
                                          const search::StudyTrial& trial, std::size_t step,
                                          const std::filesystem::path& model) {
  std::vector<std::string> overrides = overrides_of(search, trial.point, step);
  const json start = {{"onnx", model.string()},
                      {"batch_norm", search.run.at("model").value("batch_norm", "restore")}};
  overrides.push_back("model=" + start.dump());
  overrides.push_back(str("name=", search.config.name, "_", trial.number));
  return overrides;
}

namespace {

// Of each step the kinds of the stages that it runs; none of a step that is no run.
std::vector<std::set<std::string>> kinds_of_steps(const LoadedSearch& search) {
  const auto kinds = [&](const std::vector<std::string>& names) {
    std::set<std::string> kinds;
    for (const json& stage : search.run.value("stages", json::array())) {
      if (names.empty() ||
          std::find(names.begin(), names.end(), stage.value("name", "")) != names.end())
        kinds.insert(stage.value("kind", ""));
    }
    return kinds;
  };
  if (search.config.steps.empty()) return {kinds({})};
  std::vector<std::set<std::string>> of_steps;
  for (const search::StepConfig& step : search.config.steps)
    of_steps.push_back(step.runs() ? kinds(step.stages) : std::set<std::string>{});
  return of_steps;
}

// Whether some step that is a run has no stage left for a candidate that is compressed no further.
bool leaves_a_step_empty(const std::vector<std::set<std::string>>& kinds_of_steps,
                         const search::Compression::Work& work) {
  return std::any_of(kinds_of_steps.begin(), kinds_of_steps.end(),
                     [&](std::set<std::string> kinds) {
                       if (kinds.empty()) return false;
                       if (!work.prunes) kinds.erase("prune");
                       if (!work.quantizes) kinds.erase("quantize");
                       return kinds.empty();
                     });
}

}  // namespace

search::Problem problem_of(const LoadedSearch& search, const latency::LatencyTable& table) {
  const std::shared_ptr<const search::Candidates> candidates = search.candidates;
  search::Problem problem;
  problem.space = candidates->space();
  problem.graph = [=](const search::Point& point) { return candidates->labelled(point); };
  const std::vector<std::string> objectives = search.config.objectives;
  const Target target = find_target(search.config.target);
  // Each candidate is compiled once.
  const auto cost = [=, &table,
                     asked = std::make_shared<std::map<search::Point, search::CandidateCost>>()](
                        const search::Point& point) -> const search::CandidateCost& {
    const auto at = asked->find(point);
    if (at != asked->end()) return at->second;
    return asked->emplace(point, candidates->cost(point, target, table)).first->second;
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
  const std::vector<std::set<std::string>> kinds = kinds_of_steps(search);
  // Errors of earlier steps are others than that of the last one, from which nobody goes on.
  search::SearchLimits of_code = search.config.requirements, of_error;
  std::swap(of_code.error_max, of_error.error_max);
  for (const Requirement& r : requirements_of(of_error, search.config.objectives)) {
    problem.most.resize(search.config.objectives.size(), std::numeric_limits<double>::infinity());
    problem.most[r.objective] = r.most;
  }
  problem.keeps = [required = requirements_of(of_code, search.config.objectives), kinds](
                      std::size_t step, const search::Objectives& found) {
    // Else a latency is predicted, and its low end counts.
    return !kinds.at(step).contains("compile") || excess(required, found) <= 0;
  };
  const search::SearchLimits limits = search.config.requirements;
  problem.violation = [=](const search::Point& point) {
    const search::CandidateCost& c = cost(point);
    const auto beyond = [](double value, const std::optional<double>& most) {
      return most ? std::max(0.0, value / std::max(1e-9, *most) - 1) : 0.0;
    };
    const std::optional<search::Compression>& compression = candidates->compression();
    const bool idle =
        compression &&
        leaves_a_step_empty(kinds, compression->work(candidates->compression_of(point)));
    return (idle ? 1 : 0) + beyond(1e-3 * c.latency.low_us, limits.latency_ms_max) +
           beyond(static_cast<double>(c.size_bytes), limits.size_bytes_max) +
           beyond(static_cast<double>(c.peak_bytes), limits.peak_ram_bytes_max);
  };
  return problem;
}

search::StudySettings settings_of(const LoadedSearch& search) {
  search::SearchConfig config = search.config;
  const auto written = write_config(config);
  // All that says what a point is and how it is judged.
  nlohmann::ordered_json what = written.at("space");
  for (const char* key : {"compression", "conditions", "steps"}) {
    if (written.contains(key) && !written[key].empty()) what[key] = written[key];
  }
  std::vector<std::string> steps;
  for (const search::StepConfig& step : config.steps) steps.push_back(step.name);
  if (steps.empty()) steps.emplace_back("run");
  return {config.name,      what.dump(), config.objectives, config.sampler,  config.seed,
          config.in_flight, steps,       config.reduction,  config.bootstrap};
}

std::unique_ptr<search::StudyStore> study_of(const LoadedSearch& search) {
  return search::open_study(search.place(), search.config.name);
}

}  // namespace xgen::cli
