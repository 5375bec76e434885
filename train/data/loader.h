#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "train/data/batch.h"

namespace xgen::train {

struct LoaderOptions {
  std::int64_t batch_size = 128;
  bool training = true;  ///< shuffles and augments, and drops a last batch that is not full.
  std::int64_t epoch = 0;
  std::int64_t first_batch = 0;  ///< where a resumed epoch goes on.
  std::size_t prefetched = 4;    ///< batches made ahead.
};

/// Batches in the order of one epoch or one evaluation, made ahead by a thread of its own. What
/// comes when depends on the seed and the epoch alone. A data set smaller than a batch is one
/// batch.
class Loader {
 public:
  Loader(const BatchMaker& maker, const Random& random, const LoaderOptions& options);
  ~Loader();
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;

  static std::int64_t batch_count(std::int64_t samples, const LoaderOptions& options);

  /// The next batch; nothing after the last one. Errors of the thread are thrown here.
  std::optional<Batch> next();

 private:
  void work();
  Batch make(std::int64_t number) const;

  const BatchMaker& maker_;
  Random random_;
  LoaderOptions options_;
  std::vector<std::int64_t> order_;
  std::int64_t batches_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Batch> ready_;
  bool finished_ = false;
  bool cancelled_ = false;
  std::exception_ptr error_;
  std::thread thread_;  // last: it uses the members above
};

}  // namespace xgen::train
