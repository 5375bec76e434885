#include "search/proxies.h"
#include "train/graph_module.h"

namespace xgen::search {

namespace {

// What is positive grows from layer to layer. Activations that go on growing with it are the
// identity on it, but for those that are cut off, as ReLU6 is: they would hide all that is larger.
// BatchNorm would rescale what is to be compared.
std::optional<std::vector<torch::Tensor>> pass_positive(const ir::Node& node,
                                                        const std::vector<torch::Tensor>& inputs) {
  using Kind = ir::Unary::Kind;
  const auto* unary = node.as<ir::Unary>();
  const bool passes =
      node.as<ir::BatchNorm>() != nullptr ||
      (unary != nullptr &&
       (unary->kind == Kind::relu || unary->kind == Kind::clip || unary->kind == Kind::leaky_relu ||
        unary->kind == Kind::silu || unary->kind == Kind::hard_swish));
  if (!passes) return std::nullopt;
  return std::vector<torch::Tensor>{inputs.front()};
}

}  // namespace

/// The sum of |w * dR/dw| over all weights w, where R is the sum of the logits of an image of ones
/// in the network with |w| for w. In double precision: R is a product over layers, far beyond
/// float's range. Of the batch the images' size is used alone.
///
/// Source: Tanaka et al., NeurIPS 2020 (arXiv:2006.05467); as a score of networks: Abdelfattah et
/// al., ICLR 2021 (arXiv:2101.08134).
double synflow_proxy(const ir::Graph& network, const train::Batch& batch) {
  train::GraphModule module(network, torch::kCPU, torch::kDouble);
  {
    const torch::NoGradGuard no_grad;
    for (const auto& [name, tensor] : module.parameters()) tensor.abs_();
  }
  module.set_node_function(pass_positive);
  const torch::Tensor ones =
      torch::ones({1, batch.channels, batch.height, batch.width}, torch::kDouble);
  module.forward(ones).sum().backward();
  double score = 0;
  for (const auto& [name, tensor] : module.parameters()) {
    const bool is_weight = tensor.dim() >= 2;  // the rest are biases
    if (is_weight && tensor.grad().defined())
      score += (tensor.detach() * tensor.grad()).abs().sum().item<double>();
  }
  return score;
}

}  // namespace xgen::search
