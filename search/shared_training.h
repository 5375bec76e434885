#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>

#include "train/config.h"
#include "train/data/config.h"

namespace xgen::search {

/// How something is trained that many candidates share.
struct SharedTraining {
  train::TrainingConfig training;
  std::int64_t epochs = 1;
  int threads = 1;
  train::NormalizeConfig normalize;
  train::AugmentConfig augment;
  /// Gets a checkpoint in checkpoints/, log.jsonl and TensorBoard's events; one folder for each
  /// training.
  std::filesystem::path folder;
  bool resume = false;                   ///< goes on from the checkpoint, if there is one.
  std::function<bool()> stop_requested;  ///< asked after every step.
};

}  // namespace xgen::search
