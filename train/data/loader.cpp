#include "train/data/loader.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace xgen::train {

Loader::Loader(const BatchMaker& maker, const Random& random, const LoaderOptions& options)
    : maker_(maker),
      random_(random),
      options_(options),
      batches_(batch_count(maker.data().size(), options)) {
  const std::int64_t n = maker.data().size();
  if (options.training) {
    order_ = random.stream("shuffle", options.epoch).permutation(n);
  } else {
    order_.resize(static_cast<std::size_t>(n));
    std::iota(order_.begin(), order_.end(), std::int64_t{0});
  }
  thread_ = std::thread([this] { work(); });
}

Loader::~Loader() {
  {
    const std::lock_guard lock(mutex_);
    cancelled_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

std::int64_t Loader::batch_count(std::int64_t samples, const LoaderOptions& options) {
  const std::int64_t full = samples / options.batch_size;
  const bool rest = samples % options.batch_size != 0;
  return full + (rest && (!options.training || full == 0) ? 1 : 0);
}

Batch Loader::make(std::int64_t number) const {
  const auto first = order_.begin() + number * options_.batch_size;
  const auto last = first + std::min<std::int64_t>(options_.batch_size, order_.end() - first);
  const std::vector<std::int64_t> positions(first, last);
  return options_.training ? maker_.augmented(positions, random_, options_.epoch, number)
                           : maker_.plain(positions);
}

void Loader::work() {
  try {
    for (std::int64_t number = options_.first_batch; number < batches_; ++number) {
      Batch batch = make(number);
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return cancelled_ || ready_.size() < options_.prefetched; });
      if (cancelled_) return;
      ready_.push_back(std::move(batch));
      changed_.notify_all();
    }
  } catch (...) {
    const std::lock_guard lock(mutex_);
    error_ = std::current_exception();
  }
  const std::lock_guard lock(mutex_);
  finished_ = true;
  changed_.notify_all();
}

std::optional<Batch> Loader::next() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return finished_ || !ready_.empty(); });
  if (!ready_.empty()) {
    Batch batch = std::move(ready_.front());
    ready_.pop_front();
    changed_.notify_all();
    return batch;
  }
  if (error_) std::rethrow_exception(error_);
  return std::nullopt;
}

}  // namespace xgen::train
