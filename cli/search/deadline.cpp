#include "cli/search/deadline.h"

#include <chrono>

#include "core/interrupt.h"

namespace xgen::cli {

Deadline::Deadline(std::optional<double> minutes) {
  if (!minutes) return;
  thread_ = std::thread([this, time = std::chrono::duration<double, std::ratio<60>>(*minutes)] {
    std::unique_lock lock(mutex_);
    if (changed_.wait_for(lock, time, [this] { return ended_; })) return;
    passed_ = true;
    request_interrupt();
  });
}

Deadline::~Deadline() {
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

}  // namespace xgen::cli
