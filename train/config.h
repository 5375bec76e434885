#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/config.h"

namespace xgen::train {

/// How a network is trained: the "training" object of a config, which every stage inherits. The
/// number of epochs is the stage's.
struct TrainingConfig {
  std::int64_t batch_size = 128;
  std::string optimizer = "sgd";
  double lr = 0.1;
  double momentum = 0.9;
  bool nesterov = false;
  double weight_decay = 1e-4;
  std::string schedule = "cosine";
  std::vector<double> step_at = {0.5, 0.75};
  double step_factor = 0.1;
  std::int64_t warm_up_steps = 0;
  double clip_norm = 0;
  double label_smoothing = 0;
  double ema_decay = 0;
  std::string precision = "fp32";
  double distill_temperature = 4;
  double distill_weight = 0.7;
  std::int64_t checkpoint_every_steps = 0;
  double checkpoint_every_seconds = 60;

  template <class Visitor>
  void describe(Visitor& v) {
    constexpr std::int64_t kMany = 1'000'000'000;
    v.number("batch_size", batch_size, {1, 1'000'000}, "Images in one step.");
    v.choice("optimizer", optimizer, {"sgd", "adamw"}, "How weights follow their gradients.");
    v.number("lr", lr, {0, 1e3}, "Learning rate after the warm-up.");
    v.number("momentum", momentum, {0, 0.9999}, "sgd: of the running mean; adamw: beta 1.");
    v.boolean("nesterov", nesterov, "sgd: looks ahead by the momentum.");
    v.number("weight_decay", weight_decay, {0, 10}, "Of weights; biases and BatchNorm have none.");
    v.choice("schedule", schedule, {"cosine", "step", "constant"},
             "How the learning rate falls; cosine ends at 0.");
    v.numbers("step_at", step_at, {0, 1}, "step: shares of the training where it falls.");
    v.number("step_factor", step_factor, {0, 1}, "step: what it is multiplied by.");
    v.number("warm_up_steps", warm_up_steps, {0, kMany}, "Steps in which it rises from 0.");
    v.number("clip_norm", clip_norm, {0, 1e9},
             "Greatest norm of all gradients together; 0: no limit.");
    v.number("label_smoothing", label_smoothing, {0, 0.999},
             "Share of the target that is spread over all classes.");
    v.number("ema_decay", ema_decay, {0, 0.999999},
             "Decay of the moving average of weights which is evaluated and kept; 0: none.");
    v.choice("precision", precision, {"fp32", "bf16"},
             "Type of convolutions and matrix products in training; weights are fp32, simulated "
             "integers exact. bf16 is fast on GPUs (arXiv:1710.03740).");
    v.number("distill_temperature", distill_temperature, {0.01, 1000},
             "Softens teacher and student (arXiv:1503.02531).");
    v.number("distill_weight", distill_weight, {0, 1},
             "Share of the teacher in the loss, where there is one.");
    v.number("checkpoint_every_steps", checkpoint_every_steps, {0, kMany},
             "Steps between checkpoints within an epoch; 0: by time alone.");
    v.number("checkpoint_every_seconds", checkpoint_every_seconds, {0, 1e9},
             "Seconds between checkpoints within an epoch; 0: none by time.");
  }

  bool in_bf16() const { return precision == "bf16"; }

  std::optional<ConfigProblem> problem() const {
    if (nesterov && momentum == 0) return ConfigProblem{"nesterov", "expected momentum with it"};
    return {};
  }
};

}  // namespace xgen::train
