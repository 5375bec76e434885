#include <torch/torch.h>

#include "cli/run/calibrate.h"
#include "cli/run/hooks.h"
#include "cli/run/run_context.h"
#include "core/error.h"
#include "core/ir/infer_shapes.h"
#include "core/ir/rewrite/fold_batch_norm.h"
#include "core/log.h"
#include "quantize/qdq.h"
#include "quantize/simulation.h"

namespace xgen::cli {

namespace {

using nlohmann::json;

// A module that computes the integer parts exactly as compiled kernels do.
std::unique_ptr<train::GraphModule> simulated(const ir::Graph& qdq, torch::Device device) {
  auto module = std::make_unique<train::GraphModule>(qdq, device);
  auto simulation = std::make_shared<quantize::IntegerSimulation>(qdq);
  module->set_node_function(
      [simulation](const ir::Node& node, const std::vector<torch::Tensor>& inputs) {
        return (*simulation)(node, inputs);
      });
  return module;
}

}  // namespace

StageResult run_quantize_stage(RunContext& run, const QuantizeStage& stage,
                               const ir::Graph& graph) {
  // Training goes on with the folded graph: the running statistics are part of the weights from
  // here on.
  const ir::Graph folded = ir::infer_shapes(ir::fold_batch_norm(graph));
  const StageResult calibrated = run.once(stage.name + ".calibrate", [&]() -> StageResult {
    log::info(::xgen::str("calibrating on ", stage.calibration_samples, " images"));
    const auto ranges = calibrate(run, folded, stage);
    json rows = json::array(), values = json::object();
    for (const quantize::LayerType& layer : quantize::layer_types(folded, stage.exclude))
      rows.push_back({{"node", layer.node}, {"int8", layer.int8}, {"reason", layer.reason}});
    for (const auto& [name, range] : ranges) values[name] = {range.low, range.high};
    const ir::Graph qdq = ir::infer_shapes(quantize::insert_qdq(folded, ranges, stage.exclude));
    const auto module = simulated(qdq, run.device());
    return {qdq,
            {{"observer", stage.observer},
             {"layers", rows},
             {"ranges", values},
             {"validation", to_json(run.validate(*module))}}};
  });
  json record = calibrated.record;
  if (!stage.qat) return {calibrated.graph, record};

  record["validation_after_calibration"] = record["validation"];
  const auto module = simulated(calibrated.graph, run.device());
  const prune::Params params = params_of(*module);
  // Values keep their names when they are quantized, so the masks of the float network serve.
  const prune::MaskSet masks = masks_of(folded, run.device());
  MaskHook hook(params, masks);
  train::TrainContext context = run.train_context(stage.name + ".qat", stage.qat->epochs);
  if (!masks.empty()) context.hooks = {&hook};
  std::unique_ptr<train::GraphModule> teacher;
  if (!stage.distill_from.empty()) {
    teacher = std::make_unique<train::GraphModule>(run.graphs.at(stage.distill_from), run.device());
    context.teacher = teacher.get();
  }
  XGEN_CHECK(stage.qat->training, "the stage inherits a training");
  record.update(to_json(train::train(*module, run.data().train, run.data().validation,
                                     *stage.qat->training, context)));
  XGEN_CHECK(masks.empty() || masks.hash_of(params) == masks.hash(), "a pruned weight came back");
  record["validation"] = to_json(run.validate(*module));
  return {ir::infer_shapes(masks.annotate(module->to_graph())), std::move(record)};
}

}  // namespace xgen::cli
