#include "train/optimizer.h"

#include <torch/optim/adamw.h>
#include <torch/optim/sgd.h>

#include <type_traits>

namespace xgen::train {
namespace {

using torch::optim::AdamWOptions;
using torch::optim::AdamWParamState;
using torch::optim::SGDOptions;
using torch::optim::SGDParamState;

/// The optimizer keys its state by the address of the tensor, as text until LibTorch 1.13,
/// since 2.0 as a pointer.
auto state_key(const torch::optim::Optimizer& optimizer, const Tensor& parameter) {
  using Key = typename std::decay_t<decltype(optimizer.state())>::key_type;
  void* address = parameter.unsafeGetTensorImpl();
  if constexpr (std::is_same_v<Key, std::string>) {
    return str(address);
  } else {
    return address;
  }
}

template <class State>
State* find_state(const torch::optim::Optimizer& optimizer, const Tensor& parameter) {
  const auto it = optimizer.state().find(state_key(optimizer, parameter));
  return it == optimizer.state().end() ? nullptr : static_cast<State*>(it->second.get());
}

template <class State>
State& make_state(torch::optim::Optimizer& optimizer, const Tensor& parameter) {
  auto& slot = optimizer.state()[state_key(optimizer, parameter)];
  if (slot == nullptr) slot = std::make_unique<State>();
  return static_cast<State&>(*slot);
}

}  // namespace

Optimizer::Optimizer(const GraphModule& module, const TrainingConfig& config)
    : parameters_(module.parameters()), adam_(config.optimizer == "adamw") {
  std::vector<Tensor> decayed, plain;
  for (const auto& [name, tensor] : parameters_) {
    (tensor.dim() >= 2 ? decayed : plain).push_back(tensor);
  }
  const auto groups = [&]<class Options>(Options options) {
    std::vector<torch::optim::OptimizerParamGroup> result;
    Options with_decay = options;
    with_decay.weight_decay(config.weight_decay);
    result.emplace_back(decayed, std::make_unique<Options>(with_decay));
    options.weight_decay(0);
    result.emplace_back(plain, std::make_unique<Options>(options));
    return result;
  };
  if (adam_) {
    AdamWOptions options(config.lr);
    options.betas({config.momentum, 0.999});
    optimizer_ = std::make_unique<torch::optim::AdamW>(groups(options), options);
  } else {
    SGDOptions options(config.lr);
    options.momentum(config.momentum).nesterov(config.nesterov);
    optimizer_ = std::make_unique<torch::optim::SGD>(groups(options), options);
  }
}

Optimizer::~Optimizer() = default;

void Optimizer::zero_gradients() {
  for (auto& [name, parameter] : parameters_) parameter.mutable_grad() = Tensor();
}

double Optimizer::clip_gradients(double max_norm) {
  const torch::NoGradGuard no_grad;
  std::vector<Tensor> gradients;
  for (const auto& [name, parameter] : parameters_) {
    if (parameter.grad().defined()) gradients.push_back(parameter.grad());
  }
  if (gradients.empty()) return 0;
  // All norms first and one number at the end: on a GPU each number that is waited for is a stall.
  const Tensor norms = at::stack(at::_foreach_norm(gradients, 2)).to(torch::kDouble);
  const auto norm = norms.norm().item<double>();
  if (max_norm > 0 && norm > max_norm) at::_foreach_mul_(gradients, max_norm / norm);
  return norm;
}

void Optimizer::step(double learning_rate) {
  for (auto& group : optimizer_->param_groups()) group.options().set_lr(learning_rate);
  optimizer_->step();
}

NamedTensors Optimizer::state() const {
  NamedTensors all;
  for (const auto& [name, parameter] : parameters_) {
    if (adam_) {
      const auto* state = find_state<AdamWParamState>(*optimizer_, parameter);
      if (state == nullptr) continue;
      all.emplace_back("exp_avg/" + name, state->exp_avg());
      all.emplace_back("exp_avg_sq/" + name, state->exp_avg_sq());
      all.emplace_back("step/" + name, torch::scalar_tensor(state->step(), torch::kLong));
    } else {
      const auto* state = find_state<SGDParamState>(*optimizer_, parameter);
      if (state == nullptr || !state->momentum_buffer().defined()) continue;
      all.emplace_back("momentum_buffer/" + name, state->momentum_buffer());
    }
  }
  return all;
}

void Optimizer::load_state(const NamedTensors& state) {
  for (const auto& [key, tensor] : state) {
    const std::size_t slash = key.find('/');
    const std::string kind = key.substr(0, slash);
    const std::string name = slash == std::string::npos ? "" : key.substr(slash + 1);
    const auto it = std::find_if(parameters_.begin(), parameters_.end(),
                                 [&, wanted = name](const auto& p) { return p.first == wanted; });
    XGEN_CHECK(it != parameters_.end(), "optimizer state \"", key, '"');
    const Tensor& parameter = it->second;
    // With the parameter's device and memory format, as the optimizer made it; its sums depend on
    // both.
    const Tensor placed =
        kind == "step" ? tensor : at::empty_like(parameter.detach()).copy_(tensor);
    if (kind == "momentum_buffer" && !adam_) {
      make_state<SGDParamState>(*optimizer_, parameter).momentum_buffer(placed);
      continue;
    }
    XGEN_CHECK(adam_, "optimizer state \"", key, '"');
    auto& adam = make_state<AdamWParamState>(*optimizer_, parameter);
    if (kind == "exp_avg") {
      adam.exp_avg(placed);
    } else if (kind == "exp_avg_sq") {
      adam.exp_avg_sq(placed);
    } else {
      XGEN_CHECK(kind == "step", "optimizer state \"", key, '"');
      adam.step(tensor.item<std::int64_t>());
    }
  }
}

}  // namespace xgen::train
