#pragma once

#include <chrono>
#include <cstdint>
#include <string>

/// What a person sees of a run while it goes on. All of it goes to stderr; stdout is for results.
namespace xgen::log {

enum class Level : std::uint8_t { debug, info, warning, error, off };
void set_level(Level level);

void debug(const std::string& message);
void info(const std::string& message);
void warning(const std::string& message);
void error(const std::string& message);

/// "3.2 s", "4 min 05 s", "2 h 03 min".
std::string duration_text(double seconds);

/// How far a loop is, with rate and remaining time: one line that is rewritten on a terminal, plain
/// lines at most every 10 s elsewhere.
///
///   dense 3/15  [=====>    ]  12,800/50,000 images  412/s  1 min 30 s left  loss 0.83
///
/// Not for several threads at once.
class Progress {
 public:
  /// @param start  where a resumed loop begins; it does not count for the rate.
  Progress(std::string title, std::int64_t total, std::string unit, std::int64_t start = 0);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void update(std::int64_t done, const std::string& note = "");
  double rate() const;  ///< units a second since the beginning.

 private:
  using Clock = std::chrono::steady_clock;
  std::string line(bool bar, const std::string& note) const;

  std::string title_;
  std::int64_t total_;
  std::string unit_;
  std::int64_t start_;
  std::int64_t done_;
  Clock::time_point began_;
  Clock::time_point shown_;
};

}  // namespace xgen::log
