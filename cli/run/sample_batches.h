#pragma once

#include <string>
#include <vector>

#include "cli/run/run_samples.h"
#include "train/data/batch.h"

namespace xgen::cli {

/// Some images, not augmented, batch after batch: what calibration, importances and repair look at.
class SampleBatches {
 public:
  /// Training images; the run's seed and `purpose` decide which.
  /// @param samples  at most so many, spread over the classes as the data are.
  SampleBatches(const RunSamples& run, const std::string& purpose, std::int64_t samples);
  /// All images of a data set, in their order.
  SampleBatches(const train::Dataset& data, const train::NormalizeConfig& normalize);

  /// The next batch, until the one after it is asked for; null after the last.
  train::Batch* next();
  /// The next batch is the first one.
  void rewind() { first_ = 0; }
  std::int64_t samples() const { return static_cast<std::int64_t>(order_.size()); }

 private:
  train::BatchMaker maker_;
  std::vector<std::int64_t> order_;
  std::int64_t first_ = 0;
  train::Batch batch_;
};

}  // namespace xgen::cli
