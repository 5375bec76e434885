#pragma once

#include <cstdint>
#include <vector>

#include "core/random.h"
#include "train/data/config.h"
#include "train/data/dataset.h"

namespace xgen::train {

/// What a network reads in one step.
struct Batch {
  std::vector<float> images;         ///< [n, height, width, channels], normalised.
  std::vector<std::int64_t> labels;  ///< [n].
  /// mixup: [n], the labels blended in; empty without mixup.
  std::vector<std::int64_t> second_labels;
  double first_share = 1;  ///< mixup: weight of `labels`; second_labels weigh the rest.
  std::int64_t channels = 0, height = 0, width = 0;

  std::int64_t size() const { return static_cast<std::int64_t>(labels.size()); }
};

/// Makes batches of one data set: from bytes to normalised floats, with augmentation.
class BatchMaker {
 public:
  BatchMaker(Dataset data, const NormalizeConfig& normalize, const AugmentConfig& augment);

  /// The samples at `positions`, as they are.
  Batch plain(const std::vector<std::int64_t>& positions) const;
  /// The same, augmented. A sample is changed by (seed, epoch, position) alone, wherever in the
  /// epoch it comes; mixup by (seed, epoch, batch).
  Batch augmented(const std::vector<std::int64_t>& positions, const Random& random,
                  std::int64_t epoch, std::int64_t batch) const;

  const Dataset& data() const { return data_; }

 private:
  struct Place;  ///< where in the image the output begins, and what is blanked.
  void write(std::int64_t position, const Place& place, float* out) const;
  Batch empty(std::int64_t n) const;

  Dataset data_;
  AugmentConfig augment_;
  std::vector<float> table_;  ///< [channels, 256]: the normalised value of each byte.
};

}  // namespace xgen::train
