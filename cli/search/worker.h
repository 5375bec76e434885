#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>

#include "cli/search/search_run.h"
#include "search/study.h"

namespace xgen::cli {

/// A worker that has not been heard of for so long is dead.
inline constexpr double kSilentSeconds = 100;

/// This process among the workers of a study.
std::string worker_name();

/// Trials of processes of this machine that are no more need not be waited for.
void give_back_orphans(search::StudyStore& study);

/// Says in a thread of its own, as long as it lives, that the trial's worker does.
class Heartbeat {
 public:
  Heartbeat(const LoadedSearch& search, std::int64_t number);
  ~Heartbeat();
  Heartbeat(const Heartbeat&) = delete;
  Heartbeat& operator=(const Heartbeat&) = delete;

  /// Whether another worker has the trial now, as after this one was suspended for long.
  bool is_overtaken() const { return overtaken_; }

 private:
  void beat(const LoadedSearch& search, std::int64_t number);

  std::atomic<bool> ended_ = false, overtaken_ = false;
  std::thread thread_;
};

}  // namespace xgen::cli
