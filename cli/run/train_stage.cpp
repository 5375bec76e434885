#include <torch/torch.h>

#include "cli/run/hooks.h"
#include "cli/run/run_context.h"
#include "core/ir/infer_shapes.h"

namespace xgen::cli {

StageResult run_train_stage(RunContext& run, const TrainStage& stage, const ir::Graph& graph) {
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
  nlohmann::json record = to_json(result);
  record["validation"] = to_json(run.validate(module));
  return {ir::infer_shapes(masks.annotate(module.to_graph())), std::move(record)};
}

}  // namespace xgen::cli
