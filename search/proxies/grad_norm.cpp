#include "search/proxies.h"
#include "train/evaluate.h"
#include "train/graph_module.h"
#include "train/loss.h"

namespace xgen::search {

/// The Euclidean norm of the gradient, by all parameters together, of the mean cross entropy over
/// the batch. BatchNorm normalises by the batch.
///
/// Source: Abdelfattah et al., ICLR 2021 (arXiv:2101.08134).
double grad_norm_proxy(const ir::Graph& network, const train::Batch& batch) {
  train::GraphModule module(network);
  module.train();
  module.set_node_function(
      [](const ir::Node& node,
         const std::vector<torch::Tensor>& inputs) -> std::optional<std::vector<torch::Tensor>> {
        if (node.as<ir::Dropout>() == nullptr) return std::nullopt;
        return std::vector<torch::Tensor>{inputs.front()};
      });
  train::Batch images = batch;
  train::classification_loss(module.forward(train::images_of(images)),
                             train::targets_of(batch, module.device()), 0)
      .backward();
  double squares = 0;
  for (const auto& [name, tensor] : module.parameters()) {
    if (tensor.grad().defined())
      squares += tensor.grad().to(torch::kDouble).square().sum().item<double>();
  }
  return std::sqrt(squares);
}

}  // namespace xgen::search
