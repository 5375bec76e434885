#include <chrono>

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

void check_stage_name(const RunConfig& config, const std::string& wanted) {
  if (wanted.empty()) return;
  std::string known;
  for (const Stage& stage : config.stages) {
    if (name_of(stage) == wanted) return;
    known += str(known.empty() ? "" : ", ", name_of(stage));
  }
  throw UserError(str("--stage: expected one of ", known, ", got \"", wanted, "\""));
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

}  // namespace

json run_pipeline(LoadedConfig loaded, const RunOptions& options) {
  check_stage_name(loaded.config, options.only_stage);
  RunContext run(std::move(loaded), options);
  std::string current;
  bool compressed = false;
  try {
    run.graphs[""] = timed_once(run, "model", "model", [&] { return initial_model(run); }).graph;
    run.graphs["model"] = run.graphs[""];
    for (const Stage& stage : run.config().stages) {
      if (interrupt_requested())
        throw Interrupted(
            str("stopped before stage \"", name_of(stage), "\"; go on with --resume"));
      const std::string& name = name_of(stage);
      const StageResult result = timed_once(
          run, name, kind_of(stage), [&] { return run_stage(run, stage, run.graphs.at(current)); });
      run.graphs[name] = result.graph;
      current = name;
      compressed = compressed || std::get_if<TrainStage>(&stage) == nullptr;
      if (!compressed) run.dense_stage = name;
      for (const char* key : {"requirements", "points"}) {
        if (result.record.contains(key)) run.report()[key] = result.record[key];
      }
      run.save_report();
      if (name == options.only_stage) break;
    }
  } catch (const RequirementsError& error) {
    run.report()["exit_reason"] = error.what();
    run.save_report();
    throw;
  }
  if (!std::get_if<CompileStage>(&run.config().stages.back()))
    export_onnx(run.graphs.at(current), run.folder() / "model.onnx");
  std::string missed;
  for (const json& row : run.report().value("requirements", json::array())) {
    if (!row["met"].get<bool>())
      missed += str(missed.empty() ? "" : "; ", row["name"].get<std::string>(), ": wanted at most ",
                    row["wanted"].dump(), ", got ", row["got"].dump());
  }
  if (!missed.empty()) {
    run.report()["exit_reason"] = missed;
    run.save_report();
    throw RequirementsError("requirements are not met: " + missed);
  }
  return run.report();
}

}  // namespace xgen::cli
