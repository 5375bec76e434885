#include "cli/run/sample_batches.h"

#include <algorithm>
#include <numeric>

namespace xgen::cli {

SampleBatches::SampleBatches(const RunSamples& run, const std::string& purpose,
                             std::int64_t samples)
    : maker_(run.splits.train, run.config.data.normalize, {}),
      order_(train::stratified_positions(run.splits.train,
                                         std::min(samples, run.splits.train.size()),
                                         Random(run.config.seed).stream(purpose))) {}

SampleBatches::SampleBatches(const train::Dataset& data, const train::NormalizeConfig& normalize)
    : maker_(data, normalize, {}), order_(static_cast<std::size_t>(data.size())) {
  std::iota(order_.begin(), order_.end(), 0);
}

train::Batch* SampleBatches::next() {
  constexpr std::int64_t kBatch = 64;
  if (first_ >= samples()) return nullptr;
  const std::int64_t last = std::min(samples(), first_ + kBatch);
  batch_ = maker_.plain({order_.begin() + first_, order_.begin() + last});
  first_ = last;
  return &batch_;
}

}  // namespace xgen::cli
