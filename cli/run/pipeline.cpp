#include <algorithm>
#include <chrono>

#include "cli/run/check_stages.h"
#include "cli/run/forecast.h"
#include "cli/run/limits.h"
#include "cli/run/run_context.h"
#include "core/error.h"
#include "core/interrupt.h"
#include "core/log.h"
#include "core/onnx/export.h"

namespace xgen::cli {

namespace {

using nlohmann::json;

StageResult run_stage(RunContext& run, const Stage& stage, const ir::Graph& graph) {
  if (const auto* s = std::get_if<TrainStage>(&stage)) return run_train_stage(run, *s, graph);
  if (const auto* s = std::get_if<PruneStage>(&stage))
    return s->scheme == "channel" ? run_channel_stage(run, *s, graph)
                                  : run_prune_stage(run, *s, graph);
  if (const auto* s = std::get_if<QuantizeStage>(&stage)) return run_quantize_stage(run, *s, graph);
  return run_compile_stage(run, std::get<CompileStage>(stage), graph);
}

// The number of the stage after the last that runs.
std::size_t end_of_run(const RunConfig& config, const std::string& only_stage) {
  if (only_stage.empty()) return config.stages.size();
  std::string known;
  for (std::size_t i = 0; i < config.stages.size(); ++i) {
    const std::string& name = name_of(config.stages[i]);
    if (name == only_stage) return i + 1;
    known += str(known.empty() ? "" : ", ", name);
  }
  throw UserError(str("--stage: expected one of ", known, ", got \"", only_stage, "\""));
}

// What was missed, for a person.
std::string missed(const json& report) {
  std::string text;
  for (const json& row : report.value("requirements", json::array())) {
    if (!row["met"].get<bool>())
      text += str(text.empty() ? "" : "; ", row["name"].get<std::string>(), ": wanted at most ",
                  row["wanted"].dump(), ", got ", row["got"].dump());
  }
  return text;
}

// One stage with its row of the report; what it costs is part of the record, so that a resume
// reports the same.
StageResult timed_once(RunContext& run, const std::string& name, const char* kind,
                       const std::function<StageResult()>& work) {
  StageResult result = run.once(name, [&] {
    log::info(str("== ", name, " (", kind, ")"));
    const auto start = std::chrono::steady_clock::now();
    StageResult made = work();
    made.record["name"] = name;
    made.record["kind"] = kind;
    made.record["device"] = run.config().device;
    made.record["seconds"] =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    return made;
  });
  run.report()["stages"].push_back(result.record);
  return result;
}

// Where a round begins: the stage that chooses its rates from requirements.
std::size_t first_of_round(const RunConfig& config) {
  const auto chooses = [](const Stage& stage) {
    const auto* prune = std::get_if<PruneStage>(&stage);
    return prune != nullptr && prune->rates.from_requirements;
  };
  const auto& stages = config.stages;
  return static_cast<std::size_t>(std::find_if(stages.begin(), stages.end(), chooses) -
                                  stages.begin());
}

// Stages number `first` to `end`, without it. @return the network after the last.
ir::Graph run_stages(RunContext& run, std::size_t first, std::size_t end, ir::Graph graph) {
  const auto& stages = run.config().stages;
  for (std::size_t i = first; i < end; ++i) {
    const Stage& stage = stages[i];
    const std::string& name = name_of(stage);
    if (interrupt_requested())
      throw Interrupted(str("stopped before stage \"", name, "\"; go on with --resume"));
    const StageResult result =
        timed_once(run, name, kind_of(stage), [&] { return run_stage(run, stage, graph); });
    run.graphs[name] = graph = result.graph;
    const bool dense =
        std::all_of(stages.begin(), stages.begin() + static_cast<std::ptrdiff_t>(i) + 1,
                    [](const Stage& s) { return std::holds_alternative<TrainStage>(s); });
    if (dense) run.dense_stage = name;
    for (const char* key : {"requirements", "points"}) {
      if (result.record.contains(key)) run.report()[key] = result.record[key];
    }
    run.save_report();
  }
  return graph;
}

// Moves what a round came to out of the report's way, and begins the next one.
void begin_round(RunContext& run, std::size_t first_stage, const Goal& goal) {
  json& report = run.report();
  json round = {{"goal", to_json(run.goal())}, {"requirements", report["requirements"]}};
  run.note(str("round ", report["rounds"].size() + 1, " missed: ", missed(round),
               "; rates are chosen again for ", to_json(goal).dump()));
  report["rounds"].push_back(std::move(round));
  json& stages = report["stages"];  // the initial model is the first
  stages.erase(stages.begin() + static_cast<std::ptrdiff_t>(first_stage) + 1, stages.end());
  run.begin_round(goal);
}

// What the run starts from, with all that the config asks of it checked. A run that cannot begin
// leaves its folder to the one that a person corrects.
ir::Graph checked_model(RunContext& run) {
  try {
    const ir::Graph initial =
        timed_once(run, "model", "model", [&] { return initial_model(run); }).graph;
    check_prune_stages(run.loaded(), initial);
    check_memory_before(run, initial);
    return initial;
  } catch (const UserError&) {
    run.give_up_folder();
    throw;
  }
}

// All stages up to number `end`, and those of a round again while a requirement is missed and
// another goal could help. @return the network after the last.
ir::Graph run_rounds(RunContext& run, std::size_t end) {
  const ir::Graph initial = checked_model(run);
  run.graphs[""] = run.graphs["model"] = initial;
  if (can_forecast(run.config(), end)) say_forecast(run, initial);
  const std::size_t first = std::min(first_of_round(run.config()), end);
  const ir::Graph before = run_stages(run, 0, first, initial);
  ir::Graph graph = run_stages(run, first, end, before);
  if (first == end) return graph;
  for (int round = 1; round < run.config().requirements.rounds; ++round) {
    const auto goal = next_goal(run.goal(), run.report()["requirements"]);
    if (!goal) break;
    begin_round(run, first, *goal);
    graph = run_stages(run, first, end, before);
  }
  return graph;
}

}  // namespace

json run_pipeline(LoadedConfig loaded, const RunOptions& options) {
  const std::size_t end = end_of_run(loaded.config, options.only_stage);
  RunContext run(std::move(loaded), options);
  ir::Graph graph;
  try {
    graph = run_rounds(run, end);
  } catch (const RequirementsError& error) {
    run.report()["exit_reason"] = error.what();
    run.save_report();
    throw;
  }
  if (!std::holds_alternative<CompileStage>(run.config().stages.back()))
    export_onnx(graph, run.folder() / "model.onnx");
  if (const std::string text = missed(run.report()); !text.empty()) {
    run.report()["exit_reason"] = text;
    run.save_report();
    throw RequirementsError("requirements are not met: " + text);
  }
  return run.report();
}

}  // namespace xgen::cli
