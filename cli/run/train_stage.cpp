#include <torch/torch.h>

#include "cli/run/hooks.h"
#include "cli/run/run_context.h"
#include "cli/run/shared_stages.h"
#include "core/cpu_name.h"
#include "core/ir/infer_shapes.h"
#include "core/onnx/export.h"

namespace xgen::cli {

namespace {

using nlohmann::json;

StageResult trained(RunContext& run, const TrainStage& stage, const ir::Graph& graph) {
  train::GraphModule module(graph, run.device());
  train::TrainContext context = run.train_context(stage.name, stage.epochs);
  std::unique_ptr<train::GraphModule> teacher;
  if (!stage.distill_from.empty()) {
    teacher = std::make_unique<train::GraphModule>(run.graphs.at(stage.distill_from), run.device());
    context.teacher = teacher.get();
  }
  // What was pruned before, by an earlier stage or in the file that the run starts from, stays so.
  const prune::MaskSet masks = masks_of(graph, run.device());
  MaskHook hook(params_of(module), masks);
  if (!masks.empty()) context.hooks = {&hook};
  const train::TrainResult result =
      train::train(module, run.data().train, run.data().validation, stage.training, context);
  json record = to_json(result);
  record["validation"] = to_json(run.validate(module));
  return {ir::infer_shapes(masks.annotate(module.to_graph())), std::move(record)};
}

// Of a network, whatever the run is called that has it.
std::string hash_of(ir::Graph graph) {
  graph.name.clear();
  return onnx_sha256(graph);
}

// All that the stage's result depends on, to the bit.
json inputs_of(const RunContext& run, TrainStage stage, const ir::Graph& graph) {
  const RunConfig& config = run.config();
  const json data = write_config(config).at("data");
  return {
      {"libtorch", TORCH_VERSION},
      {"cpu", cpu_name()},
      {"device", config.device},
      {"threads", config.threads},
      {"seed", config.seed},
      {"images", run.data().hash()},
      {"normalize", data.value("normalize", json())},
      {"augment", data.value("augment", json())},
      {"stage", write_config(stage)},
      {"network", hash_of(graph)},
      {"teacher", stage.distill_from.empty() ? "" : hash_of(run.graphs.at(stage.distill_from))}};
}

}  // namespace

StageResult run_train_stage(RunContext& run, const TrainStage& stage, const ir::Graph& graph) {
  const auto work = [&] { return trained(run, stage, graph); };
  if (run.shared_stages().empty()) return work();
  StageResult result = shared_stage(run.shared_stages(), inputs_of(run, stage, graph), work);
  result.graph.name = graph.name;
  if (result.record.contains("shared"))
    run.note(str("stage \"", stage.name, "\": taken from a run that began alike"));
  return result;
}

}  // namespace xgen::cli
