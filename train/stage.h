#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "train/config.h"
#include "train/data/batch.h"
#include "train/data/dataset.h"
#include "train/evaluate.h"
#include "train/graph_module.h"
#include "train/hook.h"

namespace xgen::train {

/// Where and with what a stage runs.
struct TrainContext {
  std::filesystem::path run_folder;
  std::string stage = "train";
  std::int64_t epochs = 1;
  std::uint64_t seed = 1;
  int threads = 1;
  NormalizeConfig normalize;
  AugmentConfig augment;
  std::vector<TrainingHook*> hooks;
  GraphModule* teacher = nullptr;  ///< distilled from, with the config's weight; same inputs.
  bool resume = false;             ///< goes on from the stage's checkpoint, if there is one.
  /// Asked after every step; true saves the state and throws Interrupted.
  std::function<bool()> stop_requested;
};

/// One line of the training curve.
struct EpochRecord {
  std::int64_t epoch = 0;  ///< from 1.
  std::int64_t step = 0;   ///< steps made so far.
  double train_loss = 0;   ///< mean over the epoch's steps.
  double learning_rate = 0;
  Metrics validation;  ///< samples is 0 without validation data.
};

struct TrainResult {
  std::vector<EpochRecord> history;  ///< of the whole stage, also of what ran before a resume.
  std::int64_t steps = 0;
  std::string weights_hash;
  double images_per_second =
      0;  ///< of this process, without evaluation; 0 when nothing was left to do.
  std::vector<std::string> notes;  ///< such as a resume on another LibTorch or CPU.
};

/// The file that holds a stage's state.
std::filesystem::path checkpoint_path(const TrainContext& context);

/// Trains `module` in place: dense training, ADMM, fine-tuning and quantization-aware training
/// alike.
///
/// Leaves in the run's folder: checkpoints/STAGE.safetensors (after each epoch and in between, as
/// the config says), log.jsonl (one line an epoch), TensorBoard events. With an EMA, the module
/// ends with the averaged weights. Killed at any moment and resumed, it ends with the same weights,
/// bit for bit, given the same LibTorch, CPU and thread count.
///
/// @throws UserError for NaN in the loss or the weights (the last good checkpoint stays), and on
/// resume
///         for a checkpoint of another model, config or data, or a damaged one.
/// @throws Interrupted after saving, when context.stop_requested says so.
TrainResult train(GraphModule& module, const Dataset& train, const Dataset& validation,
                  const TrainingConfig& config, const TrainContext& context);

}  // namespace xgen::train
