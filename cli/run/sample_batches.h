#pragma once

#include <string>
#include <vector>

#include "cli/run/run_samples.h"
#include "train/data/batch.h"

namespace xgen::cli {

/// Some training images, not augmented, batch after batch: what calibration, importances and repair
/// look at. The run's seed and `purpose` decide which.
class SampleBatches {
 public:
  /// @param samples  at most so many, spread over the classes as the data are.
  SampleBatches(const RunSamples& run, const std::string& purpose, std::int64_t samples);

  /// The next batch, until the one after it is asked for; null after the last.
  train::Batch* next();
  std::int64_t samples() const { return static_cast<std::int64_t>(order_.size()); }

 private:
  train::BatchMaker maker_;
  std::vector<std::int64_t> order_;
  std::int64_t first_ = 0;
  train::Batch batch_;
};

}  // namespace xgen::cli
