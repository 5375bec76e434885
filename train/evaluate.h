#pragma once

#include <cstdint>

#include "train/data/batch.h"
#include "train/data/dataset.h"
#include "train/graph_module.h"
#include "train/loss.h"

namespace xgen::train {

struct Metrics {
  double top1 = 0;  ///< in [0, 1]; ties go against the network.
  double top5 = 0;  ///< 1 where there are at most 5 classes.
  double loss = 0;  ///< mean cross entropy.
  std::int64_t samples = 0;
};

/// Metrics of batch after batch.
class MetricsSum {
 public:
  /// @param logits  [n, classes]. @param labels  [n], int64, on the logits' device.
  void add(const Tensor& logits, const Tensor& labels);
  Metrics mean() const;

 private:
  Metrics sum_;
};

/// [n, channels, height, width], channels_last, sharing the memory of `batch`, which must outlive
/// it.
Tensor images_of(Batch& batch);
Targets targets_of(const Batch& batch, torch::Device device);

/// Runs `module`, not training and without gradients, over all of `data`.
Metrics evaluate(GraphModule& module, const Dataset& data, const NormalizeConfig& normalize,
                 std::int64_t batch_size = 250);

/// Measures the running statistics of every BatchNorm again, as the mean over `batches` batches of
/// `batch_size` samples in shuffled order: after a mask has changed the old ones are wrong.
void measure_batch_norm(GraphModule& module, const Dataset& data, const NormalizeConfig& normalize,
                        std::int64_t batch_size, std::int64_t batches, const Random& random);

}  // namespace xgen::train
