#include <torch/torch.h>

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
  const train::TrainResult result =
      train::train(module, run.data().train, run.data().validation, stage.training, context);
  nlohmann::json record = to_json(result);
  record["validation"] = to_json(run.validate(module));
  return {ir::infer_shapes(module.to_graph()), std::move(record)};
}

}  // namespace xgen::cli
