#include "core/log.h"

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <iostream>

#include "core/error.h"

namespace xgen::log {
namespace {

bool on_terminal() {
  static const bool terminal = isatty(STDERR_FILENO) == 1;
  return terminal;
}

spdlog::logger& logger() {
  static const auto instance = [] {
    auto made = std::make_shared<spdlog::logger>(
        "xgen", std::make_shared<spdlog::sinks::stderr_color_sink_mt>());
    // On a terminal a message first wipes the progress line that may stand there.
    made->set_pattern(on_terminal() ? "\r\x1b[K[%T] %^%l%$ %v" : "[%T] %l %v");
    made->flush_on(spdlog::level::info);
    return made;
  }();
  return *instance;
}

std::string grouped(std::int64_t n) {
  std::string text = std::to_string(n);
  for (auto at = static_cast<std::ptrdiff_t>(text.size()) - 3; at > 0; at -= 3) {
    text.insert(static_cast<std::size_t>(at), 1, ',');
  }
  return text;
}

}  // namespace

void set_level(Level level) {
  constexpr spdlog::level::level_enum kLevels[] = {spdlog::level::debug, spdlog::level::info,
                                                   spdlog::level::warn, spdlog::level::err,
                                                   spdlog::level::off};
  logger().set_level(kLevels[static_cast<int>(level)]);
}

void debug(const std::string& message) { logger().debug("{}", message); }
void info(const std::string& message) { logger().info("{}", message); }
void warning(const std::string& message) { logger().warn("{}", message); }
void error(const std::string& message) { logger().error("{}", message); }

std::string duration_text(double seconds) {
  const auto whole = static_cast<std::int64_t>(std::llround(std::max(seconds, 0.0)));
  const auto two = [](std::int64_t n) { return str(n < 10 ? "0" : "", n); };
  if (seconds < 9.95) return str(std::round(std::max(seconds, 0.0) * 10) / 10, " s");
  if (whole < 60) return str(whole, " s");
  if (whole < 3600) return str(whole / 60, " min ", two(whole % 60), " s");
  return str(whole / 3600, " h ", two(whole % 3600 / 60), " min");
}

Progress::Progress(std::string title, std::int64_t total, std::string unit, std::int64_t start)
    : title_(std::move(title)),
      total_(total),
      unit_(std::move(unit)),
      start_(start),
      done_(start),
      began_(Clock::now()),
      shown_(began_) {}

Progress::~Progress() {
  if (on_terminal()) std::cerr << "\r\x1b[K" << std::flush;
}

double Progress::rate() const {
  const double seconds = std::chrono::duration<double>(Clock::now() - began_).count();
  return seconds > 0 ? static_cast<double>(done_ - start_) / seconds : 0;
}

std::string Progress::line(bool bar, const std::string& note) const {
  std::string text = title_;
  if (bar) {
    const auto filled = static_cast<std::size_t>(20 * done_ / std::max<std::int64_t>(total_, 1));
    text += str("  [", std::string(std::min<std::size_t>(filled, 20), '='),
                std::string(20 - std::min<std::size_t>(filled, 20), ' '), "]");
  }
  text += str("  ", grouped(done_), "/", grouped(total_), " ", unit_);
  if (const double per_second = rate(); per_second > 0) {
    text += str("  ", std::round(per_second * 10) / 10, "/s  ",
                duration_text(static_cast<double>(total_ - done_) / per_second), " left");
  }
  return note.empty() ? text : text + "  " + note;
}

void Progress::update(std::int64_t done, const std::string& note) {
  done_ = done;
  const auto interval = on_terminal() ? std::chrono::milliseconds(200) : std::chrono::seconds(10);
  if (Clock::now() - shown_ < interval || !logger().should_log(spdlog::level::info)) return;
  shown_ = Clock::now();
  if (on_terminal()) {
    std::cerr << "\r\x1b[K" << line(true, note) << std::flush;
  } else {
    info(line(false, note));
  }
}

}  // namespace xgen::log
