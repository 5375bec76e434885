#include "codegen/latency/timing.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace xgen {

namespace {

using Clock = std::chrono::steady_clock;

// Large functions are timed for this long at most, with no fewer rounds than these.
constexpr double kLongestUs = 20e6;
constexpr int kFewestRounds = 5;

double microseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::micro>(Clock::now() - start).count();
}

// How many calls make a sample long enough for the clock.
int calls_for(const std::function<void()>& function) {
  function();
  const auto start = Clock::now();
  function();
  const double once = std::max(0.05, microseconds_since(start));
  return std::clamp(static_cast<int>(100.0 / once), 1, 1000);
}

// Half the width of the middle half of times, relative to their median.
double spread_of(std::vector<double> us) {
  std::sort(us.begin(), us.end());
  const std::size_t n = us.size();
  return (us[3 * n / 4] - us[n / 4]) / 2 / us[n / 2];
}

}  // namespace

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

Timing timing_of(std::vector<double> us) {
  std::sort(us.begin(), us.end());
  const std::size_t n = us.size();
  return {us[n / 2], us[n * 95 / 100], us.front()};
}

std::vector<Timing> time_interleaved(const std::vector<std::function<void()>>& functions,
                                     int min_rounds, int max_rounds, double spread) {
  std::vector<int> calls;
  std::vector<std::vector<double>> samples(functions.size());
  for (const auto& f : functions) calls.push_back(calls_for(f));
  const auto begin = Clock::now();
  for (int round = 1; round <= max_rounds; ++round) {
    for (std::size_t i = 0; i < functions.size(); ++i) {
      functions[i]();
      const auto start = Clock::now();
      for (int c = 0; c < calls[i]; ++c) functions[i]();
      samples[i].push_back(microseconds_since(start) / calls[i]);
    }
    if (round >= kFewestRounds && microseconds_since(begin) > kLongestUs) break;
    if (round < min_rounds) continue;
    if (std::all_of(samples.begin(), samples.end(),
                    [&](const auto& s) { return spread_of(s) < spread; }))
      break;
  }
  std::vector<Timing> timings;
  for (auto& s : samples) timings.push_back(timing_of(std::move(s)));
  return timings;
}

}  // namespace xgen
