#include "prune/algorithms/admm.h"

#include <algorithm>
#include <cmath>

#include "prune/algorithms/algorithm.h"

namespace xgen::prune {

namespace {

const torch::Tensor& weight_of(const Params& params, const PlannedLayer& layer) {
  const auto it = params.find(layer.weight);
  XGEN_CHECK(it != params.end(), "no parameter \"", layer.weight, "\"");
  return it->second;
}

torch::Tensor projected(const torch::Tensor& weight, const PlannedLayer& layer) {
  return weight.masked_fill(project_weight(weight, layer).keep.logical_not(), 0);
}

double square_norm(const torch::Tensor& tensor) {
  return tensor.to(torch::kFloat64).square().sum().item<double>();
}

}  // namespace

Admm::Admm(const Params& params, std::vector<PlannedLayer> layers, AdmmOptions options)
    : layers_(std::move(layers)), options_(std::move(options)) {
  XGEN_CHECK(!options_.rho.empty() && options_.updates > 0, "no rho or no updates");
  for (const PlannedLayer& layer : layers_) {
    const torch::Tensor weight = weight_of(params, layer).detach();
    splits_.push_back({projected(weight, layer), torch::zeros_like(weight)});
  }
}

double Admm::rho() const {
  const auto phases = options_.rho.size();
  const std::size_t phase =
      static_cast<std::size_t>(done_) * phases / static_cast<std::size_t>(options_.updates);
  return options_.rho[std::min(phase, phases - 1)];
}

torch::Tensor Admm::extra_loss(const Params& params) const {
  torch::Tensor sum;
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    const torch::Tensor distance =
        (weight_of(params, layers_[i]) - splits_[i].z + splits_[i].u).square().sum();
    sum = sum.defined() ? sum + distance : distance;
  }
  if (!sum.defined()) return torch::zeros({});
  return sum * (rho() / 2);
}

double Admm::primal_residual(const Params& params) const {
  const torch::NoGradGuard no_grad;
  double weights = 0;
  double distance = 0;
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    const torch::Tensor weight = weight_of(params, layers_[i]).detach();
    weights += square_norm(weight);
    distance += square_norm(weight - splits_[i].z);
  }
  return std::sqrt(distance) / std::max(std::sqrt(weights), 1e-30);
}

AdmmResiduals Admm::update(const Params& params) {
  const torch::NoGradGuard no_grad;
  const double rho_before = rho();
  double weights = 0;
  double dual = 0;
  ++done_;
  const double dual_scale = rho_before / rho();
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    const torch::Tensor weight = weight_of(params, layers_[i]).detach();
    auto& [z, u] = splits_[i];
    const torch::Tensor z_before = z;
    z = projected(weight + u, layers_[i]);
    u = (u + weight - z) * dual_scale;
    weights += square_norm(weight);
    dual += square_norm(z - z_before);
  }
  const double norm = std::max(std::sqrt(weights), 1e-30);
  return {primal_residual(params), rho_before * std::sqrt(dual) / norm, rho()};
}

Params Admm::state() const {
  Params state;
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    state[layers_[i].weight + "/z"] = splits_[i].z;
    state[layers_[i].weight + "/u"] = splits_[i].u;
  }
  state["updates"] = torch::tensor(std::vector<std::int64_t>{done_}, torch::kInt64);
  return state;
}

void Admm::load(const Params& state) {
  std::vector<Split> splits;
  for (std::size_t i = 0; i < layers_.size(); ++i)
    splits.push_back({restored(state, layers_[i].weight + "/z", splits_[i].z),
                      restored(state, layers_[i].weight + "/u", splits_[i].u)});
  done_ = static_cast<int>(
      restored(state, "updates", torch::zeros({1}, torch::kInt64)).item<std::int64_t>());
  splits_ = std::move(splits);
}

namespace {

class AdmmAlgorithm final : public Algorithm {
 public:
  explicit AdmmAlgorithm(AlgorithmContext context)
      : params_(std::move(context.params)),
        admm_(params_, std::move(context.layers), {context.config.rho, context.config.epochs}) {}

  torch::Tensor extra_loss() override { return admm_.extra_loss(params_); }
  void after_epoch() override { last_ = admm_.update(params_); }
  MaskSet masks() override { return admm_.masks(params_); }
  std::map<std::string, double> figures() const override {
    return {{"primal residual", admm_.primal_residual(params_)},
            {"dual residual", last_.dual},
            {"rho", admm_.rho()}};
  }
  Params state() const override { return admm_.state(); }
  void load(const Params& state) override { admm_.load(state); }

 private:
  Params params_;
  Admm admm_;
  AdmmResiduals last_;
};

}  // namespace

std::unique_ptr<Algorithm> make_admm(AlgorithmContext context) {
  return std::make_unique<AdmmAlgorithm>(std::move(context));
}

}  // namespace xgen::prune
