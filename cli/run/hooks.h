#pragma once

#include "cli/run/run_context.h"
#include "prune/admm.h"
#include "prune/masks.h"
#include "train/hook.h"

/// How pruning takes part in training: adapters from its objects to the training loop's hooks.
namespace xgen::cli {

/// Pulls weights towards their masks (ADMM); Z and U are updated after each epoch.
class AdmmHook final : public train::TrainingHook {
 public:
  AdmmHook(prune::Params params, std::vector<prune::PlannedLayer> layers,
           prune::AdmmOptions options)
      : params_(std::move(params)), admm_(params_, std::move(layers), std::move(options)) {}

  std::string name() const override { return "admm"; }
  torch::Tensor extra_loss(train::GraphModule& /*module*/) override {
    return admm_.extra_loss(params_);
  }
  void after_epoch(train::GraphModule& module, std::int64_t epoch) override;
  train::NamedTensors state() const override;
  void load_state(const train::NamedTensors& state) override;

  const prune::Admm& admm() const { return admm_; }

 private:
  prune::Params params_;
  prune::Admm admm_;
};

/// Keeps pruned weights at zero, and proves it after every step by the hash of the zero positions.
class MaskHook final : public train::TrainingHook {
 public:
  MaskHook(prune::Params params, prune::MaskSet masks)
      : params_(std::move(params)), masks_(std::move(masks)), hash_(masks_.hash()) {}

  std::string name() const override { return "masks"; }
  void begin(train::GraphModule& /*module*/) override { masks_.apply(params_); }
  void after_step(train::GraphModule& module, std::int64_t step) override;

 private:
  prune::Params params_;
  prune::MaskSet masks_;
  std::string hash_;
};

/// The masks that a graph's weights are annotated with.
prune::MaskSet masks_of(const ir::Graph& graph, torch::Device device);

}  // namespace xgen::cli
