#include <torch/torch.h>

#include "cli/run/run_context.h"
#include "core/error.h"
#include "core/ir/infer_shapes.h"
#include "core/ir/rewrite/fold_constants.h"
#include "core/ir/rewrite/rebatch.h"
#include "core/ir/rewrite/restore_batch_norm.h"
#include "core/ir/rewrite/simplify.h"
#include "core/log.h"
#include "core/onnx/import.h"
#include "train/data/batch.h"
#include "train/zoo/zoo.h"

namespace xgen::cli {

namespace {

constexpr std::int64_t kCalibrationSamples =
    1024;  // enough for means and variances of every channel
constexpr std::int64_t kBatch = 128;

// Convolutions that no batch norm follows.
std::vector<const ir::Node*> bare_convolutions(const ir::Graph& graph) {
  const ir::UseMap uses(graph);
  std::vector<const ir::Node*> bare;
  for (const ir::Node& node : graph.nodes()) {
    if (node.as<ir::Conv>() == nullptr) continue;
    bool normalised = false;
    for (const int reader : uses.readers[static_cast<std::size_t>(node.output())]) {
      normalised = normalised ||
                   graph.nodes()[static_cast<std::size_t>(reader)].as<ir::BatchNorm>() != nullptr;
    }
    if (!normalised) bare.push_back(&node);
  }
  return bare;
}

// Mean and variance of every channel of the convolutions' outputs over training images.
std::map<std::string, ir::ChannelStatistics> measure(
    RunContext& run, const ir::Graph& graph, const std::vector<const ir::Node*>& convolutions) {
  train::GraphModule module(graph, run.device());
  std::vector<std::string> names;
  for (const ir::Node* node : convolutions) names.push_back(graph.value(node->output()).name);
  train::BatchMaker maker(run.data().train, run.config().data.normalize, {});
  std::map<std::string, torch::Tensor> sums, squares;
  double count = 0;
  const std::int64_t samples = std::min(kCalibrationSamples, run.data().train.size());
  const torch::NoGradGuard no_grad;
  const std::vector<std::int64_t> order = train::stratified_positions(
      run.data().train, samples, Random(run.config().seed).stream("batch_norm"));
  for (std::int64_t first = 0; first < samples; first += kBatch) {
    const auto begin = order.begin() + first,
               end = order.begin() + std::min(samples, first + kBatch);
    train::Batch batch = maker.plain({begin, end});
    const auto values = module.forward_values({train::images_of(batch)}, names);
    for (const std::string& name : names) {
      const torch::Tensor v = values.at(name).to(torch::kDouble);
      const torch::Tensor mean =
          v.mean(std::vector<std::int64_t>{0, 2, 3}) * static_cast<double>(v.size(0));
      const torch::Tensor square =
          v.square().mean(std::vector<std::int64_t>{0, 2, 3}) * static_cast<double>(v.size(0));
      sums[name] = sums.count(name) != 0 ? sums[name] + mean : mean;
      squares[name] = squares.count(name) != 0 ? squares[name] + square : square;
    }
    count += static_cast<double>(end - begin);
  }
  std::map<std::string, ir::ChannelStatistics> statistics;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const torch::Tensor mean = (sums.at(names[i]) / count).cpu(),
                        square = (squares.at(names[i]) / count).cpu();
    const torch::Tensor
        variance = (square - mean.square()).clamp_min(1e-12).to(torch::kFloat).contiguous(),
        m = mean.to(torch::kFloat).contiguous();
    ir::ChannelStatistics s;
    s.mean.assign(m.data_ptr<float>(), m.data_ptr<float>() + m.numel());
    s.variance.assign(variance.data_ptr<float>(), variance.data_ptr<float>() + variance.numel());
    statistics[convolutions[i]->name] = std::move(s);
  }
  return statistics;
}

void check_fit(const ir::Graph& graph, const train::Dataset& data, const std::string& what) {
  if (graph.inputs().size() != 1 || graph.outputs().size() != 1)
    throw UserError(str(what, ": expected one input and one output, got ", graph.inputs().size(),
                        " and ", graph.outputs().size()));
  const ir::Value &in = graph.value(graph.inputs()[0]), &out = graph.value(graph.outputs()[0]);
  const ir::Shape want{(*in.type.shape)[0], data.channels(), data.height(), data.width()};
  if (*in.type.shape != want) {
    throw UserError(str(what, ": input \"", in.name, "\": expected ", ir::to_string(want),
                        ", as the images are, got ", ir::to_string(*in.type.shape)));
  }
  const ir::Shape logits{(*out.type.shape)[0], data.classes()};
  if (*out.type.shape != logits) {
    throw UserError(str(what, ": output \"", out.name, "\": expected ", ir::to_string(logits),
                        " for ", data.classes(), " classes, got ", ir::to_string(*out.type.shape)));
  }
}

}  // namespace

StageResult initial_model(RunContext& run) {
  const ModelConfig& model = run.config().model;
  const std::string what = model.onnx.empty() ? "zoo model \"" + model.zoo + "\""
                                              : run.loaded().path(model.onnx).string();
  ir::Graph graph =
      model.onnx.empty()
          ? train::make_zoo_model(model.zoo, run.data().train.classes(), run.config().seed)
          : import_onnx(what);
  graph = ir::infer_shapes(std::move(graph));
  const ir::RebatchResult batched = ir::rebatch(graph);
  if (!batched.graph)
    throw UserError(str(what, ": cannot be trained: its batch is fixed: ", batched.reason));
  graph = ir::infer_shapes(ir::simplify(ir::fold_constants(ir::infer_shapes(*batched.graph))));
  graph.name = run.config().name;
  check_fit(graph, run.data().train, what);
  nlohmann::json record = {{"model", what}};
  if (!model.onnx.empty() && model.batch_norm == "restore") {
    const auto bare = bare_convolutions(graph);
    if (!bare.empty()) {
      log::info(str("restoring ", bare.size(), " batch norms"));
      record["restored_batch_norms"] = bare.size();
      graph = ir::infer_shapes(ir::restore_batch_norm(graph, measure(run, graph, bare)));
    }
  }
  train::GraphModule module(graph, run.device());
  record["validation"] = to_json(run.validate(module));
  return {std::move(graph), std::move(record)};
}

}  // namespace xgen::cli
