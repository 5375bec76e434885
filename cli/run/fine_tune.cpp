#include "cli/run/fine_tune.h"

#include <torch/torch.h>

#include <memory>

namespace xgen::cli {

void fine_tune(RunContext& run, const PruneStage& stage, train::GraphModule& module,
               const std::vector<train::TrainingHook*>& hooks, nlohmann::json& record) {
  if (stage.fine_tune.epochs == 0) return;
  train::TrainContext context =
      run.train_context(stage.name + ".fine_tune", stage.fine_tune.epochs);
  context.hooks = hooks;
  std::unique_ptr<train::GraphModule> teacher;
  if (!stage.fine_tune.distill_from.empty()) {
    teacher = std::make_unique<train::GraphModule>(run.graphs.at(stage.fine_tune.distill_from),
                                                   run.device());
    context.teacher = teacher.get();
  }
  record.update(to_json(train::train(module, run.data().train, run.data().validation,
                                     stage.fine_tune.training, context)));
}

nlohmann::json validate_pruned(RunContext& run, const PruneStage& stage,
                               train::GraphModule& module) {
  // The statistics of the unpruned network are wrong for this one.
  train::measure_batch_norm(module, run.data().train, run.config().data.normalize,
                            stage.fine_tune.training.batch_size, 8, Random(run.config().seed));
  return to_json(run.validate(module));
}

}  // namespace xgen::cli
