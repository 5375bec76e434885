#include "prune/algorithms/algorithm.h"
#include "prune/algorithms/cubic_schedule.h"

/// Keeps what training moves away from zero. The network computes with masked weights; each weight
/// has a score that falls by gradient times weight, dropped ones too, as if nothing were masked
/// (straight through), so that they may return, as they were. More and more is dropped.
///
/// Source: Sanh et al., arXiv:2005.07683.
namespace xgen::prune {

namespace {

class Movement final : public Algorithm {
 public:
  explicit Movement(AlgorithmContext context) : context_(std::move(context)) {
    for (const PlannedLayer& layer : context_.layers) {
      const torch::Tensor weight = context_.params.at(layer.weight).detach().clone();
      dense_[layer.weight] = weight;
      scores_[layer.weight] = torch::zeros_like(weight);
    }
  }

  void begin() override { update(0); }
  void after_step(std::int64_t step) override {
    const torch::NoGradGuard no_grad;
    for (const PlannedLayer& layer : context_.layers) {
      const torch::Tensor& live = context_.params.at(layer.weight);
      torch::Tensor& dense = dense_.at(layer.weight);
      scores_.at(layer.weight).sub_(live.grad() * dense);
      dense = torch::where(keep(layer), live.detach(), dense);
    }
    if ((step + 1) % context_.config.update_steps == 0)
      update(step + 1);
    else
      write();
  }
  MaskSet masks() override {
    update(context_.steps);
    return masks_;
  }

  Params state() const override {
    Params state = masks_.state();
    for (const auto& [name, tensor] : dense_) state[name + "/dense"] = tensor;
    for (const auto& [name, tensor] : scores_) state[name + "/scores"] = tensor;
    return state;
  }
  void load(const Params& state) override {
    for (auto& [name, tensor] : dense_) tensor = restored(state, name + "/dense", tensor);
    for (auto& [name, tensor] : scores_) tensor = restored(state, name + "/scores", tensor);
    masks_.load(state);
  }

 private:
  const torch::Tensor& keep(const PlannedLayer& layer) const {
    return masks_.layers().at(layer.weight).keep;
  }
  void update(std::int64_t step) {
    Params logical;
    for (const PlannedLayer& layer : context_.layers)
      logical[layer.weight] =
          logical_weight(scores_.at(layer.weight), layer.shape, layer.transposed);
    masks_ = scored_masks(context_.params, logical,
                          relaxed(context_.layers, cubic_open_share(step, context_.steps)));
    write();
  }
  // The weights that the network computes with: the dense ones, masked.
  void write() {
    const torch::NoGradGuard no_grad;
    for (const PlannedLayer& layer : context_.layers)
      context_.params.at(layer.weight).detach().copy_(dense_.at(layer.weight));
    masks_.apply(context_.params);
  }

  AlgorithmContext context_;
  Params dense_;   ///< all weights, dropped ones as they were.
  Params scores_;  ///< in the layout of the weights.
  MaskSet masks_;
};

}  // namespace

std::unique_ptr<Algorithm> make_movement(AlgorithmContext context) {
  return std::make_unique<Movement>(std::move(context));
}

}  // namespace xgen::prune
