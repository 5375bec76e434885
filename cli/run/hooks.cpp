#include "cli/run/hooks.h"

#include <torch/torch.h>

#include "core/error.h"
#include "core/log.h"
#include "prune/layers.h"

namespace xgen::cli {

void AlgorithmHook::after_epoch(train::GraphModule& /*module*/, std::int64_t /*epoch*/) {
  algorithm_.after_epoch();
  std::string line = name_ + ":";
  for (const auto& [figure, value] : algorithm_.figures())
    line += ::xgen::str(line.back() == ':' ? " " : ", ", figure, " ", value);
  if (line.back() != ':') log::info(line);
}

train::NamedTensors AlgorithmHook::state() const {
  const prune::Params state = algorithm_.state();
  return {state.begin(), state.end()};
}

void AlgorithmHook::load_state(const train::NamedTensors& state) {
  algorithm_.load({state.begin(), state.end()});
}

void MaskHook::after_step(train::GraphModule& /*module*/, std::int64_t step) {
  masks_.apply(params_);
  XGEN_CHECK(masks_.hash_of(params_) == hash_, "a pruned weight came back in step ", step);
}

prune::MaskSet masks_of(const ir::Graph& graph, torch::Device device) {
  prune::MaskSet masks;
  for (const prune::Layer& layer : prune::layers_of(graph)) {
    const ir::Value& weight = graph.value(graph.find(layer.weight));
    if (!weight.sparsity) continue;
    const auto kept = expand_mask(*weight.sparsity, layer.shape);
    torch::Tensor keep = torch::empty(
        {layer.shape.c_out, static_cast<std::int64_t>(layer.shape.c_in) * layer.shape.taps()},
        torch::kBool);
    for (std::size_t i = 0; i < kept.size(); ++i) keep.data_ptr<bool>()[i] = kept[i] != 0;
    if (layer.transposed) keep = keep.t().contiguous();
    const ir::Extents extents = ir::extents(*weight.type.shape);
    masks.set(layer.weight,
              {layer.shape, layer.transposed, *weight.sparsity, keep.reshape(extents).to(device)});
  }
  return masks;
}

}  // namespace xgen::cli
