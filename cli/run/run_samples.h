#pragma once

#include <torch/types.h>

#include "cli/config.h"
#include "train/data/load.h"

namespace xgen::cli {

/// What networks of a run are looked at with: its samples, and how networks read them. What is
/// referred to outlives it.
struct RunSamples {
  const RunConfig& config;
  const train::DataSplits& splits;
  torch::Device device;

  /// What networks are judged on: samples that are kept back, or those of the test where none are.
  const train::Dataset& validation() const {
    return splits.validation.empty() ? splits.test : splits.validation;
  }
};

}  // namespace xgen::cli
