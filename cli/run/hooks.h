#pragma once

#include "cli/run/run_context.h"
#include "prune/algorithms/algorithm.h"
#include "prune/masks.h"
#include "train/hook.h"

/// How pruning takes part in training: adapters from its objects to the training loop's hooks.
namespace xgen::cli {

/// Lets a pruning algorithm take part in training.
class AlgorithmHook final : public train::TrainingHook {
 public:
  /// @param name  of the algorithm.
  AlgorithmHook(std::string name, prune::Algorithm& algorithm)
      : name_(std::move(name)), algorithm_(algorithm) {}

  std::string name() const override { return name_; }
  void begin(train::GraphModule& /*module*/) override { algorithm_.begin(); }
  torch::Tensor extra_loss(train::GraphModule& /*module*/) override {
    return algorithm_.extra_loss();
  }
  void after_step(train::GraphModule& /*module*/, std::int64_t step) override {
    algorithm_.after_step(step);
  }
  void after_epoch(train::GraphModule& module, std::int64_t epoch) override;
  train::NamedTensors state() const override;
  void load_state(const train::NamedTensors& state) override;

 private:
  std::string name_;
  prune::Algorithm& algorithm_;
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
