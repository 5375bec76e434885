#pragma once

#include <torch/types.h>

#include <cstdint>
#include <string>

#include "train/graph_module.h"
#include "train/loss.h"

namespace xgen::train {

/// A step whose loss was differentiated.
struct DifferentiatedStep {
  std::int64_t number;  ///< from 0.
  const Tensor& images;
  const Targets& targets;
  const Tensor& logits;  ///< of the module, for the images; detached.
};

/// How pruning and quantization take part in training. All calls are made on the training thread; a
/// hook's state is in every checkpoint, so that a resumed run goes on to the same bits.
class TrainingHook {
 public:
  virtual ~TrainingHook() = default;

  /// Names the hook's tensors in checkpoints; unique in a stage.
  virtual std::string name() const = 0;
  /// Before the first step of a new run; not called on a resume, where load_state comes instead.
  virtual void begin(GraphModule& /*module*/) {}
  /// Once before the first step of each epoch, from 0; a resume in the middle of an epoch does not
  /// repeat it.
  virtual void before_epoch(GraphModule& /*module*/, std::int64_t /*epoch*/) {}
  /// Added to the loss of this step; undefined: nothing.
  virtual Tensor extra_loss(GraphModule& /*module*/) { return {}; }
  /// Before gradients are clipped and followed: may add to those of the module's parameters.
  virtual void after_backward(GraphModule& /*module*/, const DifferentiatedStep& /*step*/) {}
  /// After the optimizer's step number `step` (from 0); weights may be changed in place.
  virtual void after_step(GraphModule& /*module*/, std::int64_t /*step*/) {}
  /// After each epoch, before it is evaluated.
  virtual void after_epoch(GraphModule& /*module*/, std::int64_t /*epoch*/) {}
  /// Everything that decides what the hook does next.
  virtual NamedTensors state() const { return {}; }
  virtual void load_state(const NamedTensors& /*state*/) {}
};

}  // namespace xgen::train
