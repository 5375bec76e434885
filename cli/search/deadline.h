#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>

namespace xgen::cli {

/// Asks this process to stop, as Ctrl-C does, once so much time has passed while it lives.
class Deadline {
 public:
  /// @param minutes  none: never.
  explicit Deadline(std::optional<double> minutes);
  ~Deadline();
  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;

  bool has_passed() const { return passed_; }

 private:
  std::atomic<bool> passed_ = false;
  bool ended_ = false;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::thread thread_;
};

}  // namespace xgen::cli
