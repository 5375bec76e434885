#include "cli/run/evidence.h"

#include <torch/torch.h>

#include "cli/run/repair_weights.h"
#include "cli/run/sample_batches.h"
#include "core/error.h"
#include "prune/masks.h"
#include "train/loss.h"

namespace xgen::cli {

namespace {

std::string batch_norm_scale(const ir::Graph& graph, const ir::Node& layer) {
  for (const ir::Node& node : graph.nodes()) {
    if (node.as<ir::BatchNorm>() != nullptr && node.input(0) == layer.output())
      return graph.value(node.input(1)).name;
  }
  throw UserError(
      ::xgen::str("importance \"batch_norm\": no batch norm follows node \"", layer.name, "\""));
}

// Mean over all but the channels: [c_in]. Images have them second, matrices last.
torch::Tensor channel_squares(const torch::Tensor& x) {
  const torch::Tensor square = x.to(torch::kFloat32).square();
  return x.dim() == 4 ? square.mean(at::IntArrayRef{0, 2, 3})
                      : square.flatten(0, x.dim() - 2).mean(0);
}

}  // namespace

std::map<std::string, prune::Evidence> collect_evidence(
    RunContext& run, train::GraphModule& module, const std::vector<prune::PlannedLayer>& layers,
    const prune::Importance& importance, std::int64_t samples) {
  const prune::Params params = params_of(module);
  std::map<std::string, prune::Evidence> result;
  std::vector<std::string> wanted{module.graph().value(module.graph().outputs().front()).name};
  const std::string logits = wanted.front();
  std::map<std::string, std::string> read;  // by weight, the value that its layer reads
  for (const prune::PlannedLayer& layer : layers) {
    const ir::Node& node = layer_with(module.graph(), layer.weight);
    prune::Evidence& evidence = result[layer.weight];
    evidence.weight = prune::logical_weight(params.at(layer.weight), layer.shape, layer.transposed)
                          .detach()
                          .clone();
    if (importance.batch_norm)
      evidence.batch_norm_scale =
          module.tensor(batch_norm_scale(module.graph(), node)).detach().clone();
    if (importance.gradients)
      evidence.absolute_gradient = evidence.squared_gradient = torch::zeros_like(evidence.weight);
    if (importance.inputs) {
      evidence.input_square = torch::zeros({layer.shape.c_in}, evidence.weight.options());
      read[layer.weight] = module.graph().value(node.input(0)).name;
      wanted.push_back(read[layer.weight]);
    }
  }
  if (!importance.gradients && !importance.inputs) return result;

  const bool was_training = module.is_training();
  module.train(false);
  SampleBatches batches(run.samples(), "importance", samples);
  std::map<std::string, torch::Tensor> kept_gradients;
  for (const auto& [name, tensor] : params) {
    kept_gradients[name] = tensor.grad();
    tensor.mutable_grad() = torch::Tensor();
  }
  while (train::Batch* batch = batches.next()) {
    const double weight =
        static_cast<double>(batch->size()) / static_cast<double>(batches.samples());
    const torch::Tensor images = train::images_of(*batch);
    const torch::AutoGradMode gradients(importance.gradients);
    const auto values = module.forward_values({images}, wanted);
    if (importance.gradients) {
      for (const auto& [name, tensor] : params) tensor.mutable_grad() = torch::Tensor();
      train::classification_loss(values.at(logits), train::targets_of(*batch, module.device()), 0)
          .backward();
    }
    const torch::NoGradGuard no_grad;
    for (const prune::PlannedLayer& layer : layers) {
      prune::Evidence& evidence = result[layer.weight];
      if (importance.gradients) {
        const torch::Tensor gradient =
            prune::logical_weight(params.at(layer.weight).grad(), layer.shape, layer.transposed);
        evidence.absolute_gradient = evidence.absolute_gradient + weight * gradient.abs();
        evidence.squared_gradient = evidence.squared_gradient + weight * gradient.square();
      }
      if (importance.inputs)
        evidence.input_square =
            evidence.input_square + weight * channel_squares(values.at(read[layer.weight]));
    }
  }
  for (const auto& [name, tensor] : params) tensor.mutable_grad() = kept_gradients[name];
  module.train(was_training);
  return result;
}

}  // namespace xgen::cli
