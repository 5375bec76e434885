#include "core/error.h"
#include "search/proxies.h"
#include "train/evaluate.h"
#include "train/graph_module.h"

namespace xgen::search {

namespace {

bool is_relu(const ir::Node& node) {
  using Kind = ir::Unary::Kind;
  const auto* unary = node.as<ir::Unary>();
  return unary != nullptr && (unary->kind == Kind::relu || unary->kind == Kind::leaky_relu ||
                              (unary->kind == Kind::clip && unary->low == 0));
}

}  // namespace

/// log |det K|, where K_ij is the number of ReLUs that are both on or both off for images i and j.
/// BatchNorm normalises by the batch. -inf where two images are told apart by no ReLU.
///
/// @throws UserError for a network without ReLUs.
///
/// Source: Mellor et al., ICML 2021 (arXiv:2006.04647).
double naswot_proxy(const ir::Graph& network, const train::Batch& batch) {
  const torch::NoGradGuard no_grad;
  train::GraphModule module(network);
  module.train();
  torch::Tensor kernel;
  module.set_node_function(
      [&](const ir::Node& node,
          const std::vector<torch::Tensor>& inputs) -> std::optional<std::vector<torch::Tensor>> {
        if (node.as<ir::Dropout>() != nullptr) return std::vector<torch::Tensor>{inputs.front()};
        if (!is_relu(node)) return std::nullopt;
        // Counts of one layer are whole numbers that float holds; their sums may be larger.
        const torch::Tensor on = (inputs.front() > 0).flatten(1).to(torch::kFloat), off = 1 - on;
        const torch::Tensor alike = on.matmul(on.t()).add_(off.matmul(off.t())).to(torch::kDouble);
        kernel = kernel.defined() ? kernel + alike : alike;
        return std::nullopt;
      });
  train::Batch images = batch;
  module.forward(train::images_of(images));
  if (!kernel.defined())
    throw UserError(str("naswot: expected a network with ReLUs, \"", network.name,
                        "\" has none; take ", "another proxy"));
  return std::get<1>(at::slogdet(kernel)).item<double>();
}

}  // namespace xgen::search
