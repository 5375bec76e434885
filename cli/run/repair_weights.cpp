#include "cli/run/repair_weights.h"

#include <torch/torch.h>

#include <set>

#include "core/error.h"
#include "core/interrupt.h"
#include "core/ir/one_image.h"
#include "core/log.h"
#include "prune/repair.h"

namespace xgen::cli {

namespace {

// [k, n] of what the node reads, and [c_out, n] of what it computes.
torch::Tensor columns_of(const ir::Node& node, const torch::Tensor& x, const WeightShape& shape) {
  if (const auto* conv = node.as<ir::Conv>())
    return prune::convolution_columns(x, shape, conv->pads, conv->strides, conv->dilations);
  return x.flatten(0, x.dim() - 2).t();
}

torch::Tensor targets_of(const ir::Node& node, const torch::Tensor& y) {
  if (node.as<ir::Conv>() != nullptr) return y.permute({1, 0, 2, 3}).flatten(1);
  return y.flatten(0, y.dim() - 2).t();
}

}  // namespace

SampleBatches repair_batches(const RunSamples& run, std::int64_t samples) {
  return {run, "repair", samples};
}

prune::Repair repair_equations(const ir::Node& layer, const WeightShape& shape, SampleWalk& walk,
                               const std::vector<std::int64_t>& filters) {
  if (interrupt_requested())
    throw Interrupted("stopped while weights were repaired; go on with --resume");
  const ir::Graph& graph = walk.first().graph();
  const std::string x_name = graph.value(layer.input(0)).name,
                    y_name = graph.value(layer.output()).name;
  prune::Repair repair(shape);
  walk.visit(y_name, [&](SampleWalk::Step& step) {
    const torch::Tensor x = step.passes.front().value(x_name);
    torch::Tensor y = targets_of(layer, step.passes.back().value(y_name));
    if (layer.inputs.size() > 2 && layer.inputs[2] != ir::kNoValue)
      y = y - walk.last().tensor(graph.value(layer.input(2)).name).view({-1, 1});
    if (!filters.empty())
      y = y.index_select(0, torch::tensor(filters, torch::kInt64).to(y.device()));
    repair.add(columns_of(layer, x, shape), y);
  });
  return repair;
}

torch::Tensor repaired_weight(const prune::Repair& repair, const torch::Tensor& weight,
                              const prune::LayerMask& mask) {
  const torch::NoGradGuard no_grad;
  const torch::Tensor keep =
      prune::logical_weight(mask.keep.to(torch::kFloat32), mask.shape, mask.transposed).ne(0);
  const torch::Tensor solved =
      repair.solve(prune::logical_weight(weight, mask.shape, mask.transposed), keep);
  return mask.transposed ? solved.flatten(1).t().contiguous() : solved.reshape(weight.sizes());
}

void repair_weights(const RunSamples& run, train::GraphModule& module, train::GraphModule& dense,
                    const prune::MaskSet& masks, std::int64_t samples) {
  const torch::NoGradGuard no_grad;
  const prune::Params params = params_of(module);
  SampleWalk walk({&module, &dense}, repair_batches(run, samples));
  log::Progress progress("repair", static_cast<std::int64_t>(masks.layers().size()), "layers");
  std::int64_t done = 0;
  std::set<std::string> repaired;
  for (const ir::Node& node : module.graph().nodes()) {
    if (node.inputs.size() < 2) continue;
    const auto found = masks.layers().find(module.graph().value(node.input(1)).name);
    if (found == masks.layers().end()) continue;
    const prune::LayerMask& mask = found->second;
    const torch::Tensor& weight = params.at(found->first);
    weight.detach().copy_(repaired_weight(repair_equations(node, mask.shape, walk), weight, mask));
    // Of two nodes that share a weight the second one changes what the first one computes.
    if (!repaired.insert(found->first).second) walk.restart();
    progress.update(++done);
  }
  masks.apply(params);
}

void repair_thinned(const RunSamples& run, train::GraphModule& module, train::GraphModule& dense,
                    const std::map<std::string, std::vector<std::int64_t>>& filters,
                    std::int64_t samples) {
  const torch::NoGradGuard no_grad;
  const std::vector<prune::Layer> layers = prune::layers_of(ir::for_one_image(module.to_graph()));
  SampleWalk walk({&module, &dense}, repair_batches(run, samples));
  log::Progress progress("repair", static_cast<std::int64_t>(layers.size()), "layers");
  std::int64_t done = 0;
  for (const prune::Layer& layer : layers) {
    progress.update(++done);
    if (!layer.prunable) continue;
    const auto found = filters.find(layer.weight);
    const prune::Repair repair =
        repair_equations(layer_with(module.graph(), layer.weight), layer.shape, walk,
                         found == filters.end() ? std::vector<std::int64_t>{} : found->second);
    const torch::Tensor weight = module.tensor(layer.weight);
    weight.detach().copy_(repaired_weight(
        repair, weight,
        {layer.shape, layer.transposed, {}, torch::ones(weight.sizes(), torch::kBool)}));
  }
}

const ir::Node& layer_with(const ir::Graph& graph, const std::string& weight) {
  const ir::ValueId id = graph.find(weight);
  for (const ir::Node& node : graph.nodes()) {
    if (node.inputs.size() > 1 && node.inputs[1] == id) return node;
  }
  XGEN_CHECK(false, "nothing reads ", weight);
  return graph.nodes().front();
}

}  // namespace xgen::cli
