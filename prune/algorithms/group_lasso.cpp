#include <torch/nn/functional/padding.h>

#include "prune/algorithms/algorithm.h"

/// A penalty on blocks of weights, reweighted after each epoch: strength times the sum over blocks
/// of |block|^2 / (|block as it was|^2 + e). It falls with the logarithm of a block's energy, so
/// weak blocks are pulled to zero and strong ones are left alone.
///
/// Source: Ma et al., BLK-REW, arXiv:2001.08357; Candes et al. 2008 for the reweighting.
namespace xgen::prune {

namespace {

// Relative to the mean energy of a layer's blocks.
constexpr double kSoftening = 1e-3;

class GroupLasso final : public Algorithm {
 public:
  explicit GroupLasso(AlgorithmContext context) : context_(std::move(context)) { reweight(); }

  torch::Tensor extra_loss() override {
    torch::Tensor sum = torch::zeros({});
    for (std::size_t i = 0; i < context_.layers.size(); ++i)
      sum = sum + (energies(context_.layers[i]) * factors_[i]).sum();
    return sum * context_.config.strength;
  }
  void after_epoch() override { reweight(); }
  MaskSet masks() override { return magnitude_masks(context_.params, context_.layers); }

  std::map<std::string, double> figures() const override {
    double weak = 0, all = 0;
    for (const PlannedLayer& layer : context_.layers) {
      const torch::Tensor energy = energies(layer).detach();
      weak += energy.lt(1e-2 * energy.mean()).sum().item<double>();
      all += static_cast<double>(energy.numel());
    }
    return {{"blocks near zero", weak / all}};
  }

  Params state() const override {
    Params state;
    for (std::size_t i = 0; i < factors_.size(); ++i)
      state[context_.layers[i].weight + "/factors"] = factors_[i];
    return state;
  }
  void load(const Params& state) override {
    for (std::size_t i = 0; i < factors_.size(); ++i)
      factors_[i] = restored(state, context_.layers[i].weight + "/factors", factors_[i]);
  }

 private:
  // [groups, blocks across, taps]; where blocks go as a whole, [groups, blocks across, 1].
  torch::Tensor energies(const PlannedLayer& layer) const {
    namespace F = torch::nn::functional;
    const Constraint& c = layer.constraint;
    const std::int64_t filters = c.group_out, channels = c.lane_channels * c.block_lanes,
                       taps = layer.shape.taps();
    const bool single_taps = c.punched || c.scheme == Sparsity::Scheme::pattern ||
                             c.scheme == Sparsity::Scheme::unstructured;
    torch::Tensor w =
        logical_weight(context_.params.at(layer.weight), layer.shape, layer.transposed).flatten(2);
    const auto missing = [](std::int64_t n, std::int64_t unit) { return (unit - n % unit) % unit; };
    w = F::pad(w, F::PadFuncOptions({0, 0, 0, missing(layer.shape.c_in, channels), 0,
                                     missing(layer.shape.c_out, filters)}));
    const torch::Tensor blocks =
        w.view({w.size(0) / filters, filters, w.size(1) / channels, channels, taps})
            .square()
            .sum(at::IntArrayRef{1, 3});
    return single_taps ? blocks : blocks.sum(2, true);
  }

  void reweight() {
    const torch::NoGradGuard no_grad;
    factors_.clear();
    for (const PlannedLayer& layer : context_.layers) {
      const torch::Tensor energy = energies(layer);
      factors_.push_back((energy + kSoftening * energy.mean() + 1e-30).reciprocal());
    }
  }

  AlgorithmContext context_;
  std::vector<torch::Tensor> factors_;  ///< of each layer.
};

}  // namespace

std::unique_ptr<Algorithm> make_group_lasso(AlgorithmContext context) {
  return std::make_unique<GroupLasso>(std::move(context));
}

}  // namespace xgen::prune
