#include "codegen/latency/timing.h"

#include <algorithm>
#include <chrono>

namespace xgen {

namespace {

using Clock = std::chrono::steady_clock;

double microseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::micro>(Clock::now() - start).count();
}

// Half the width of the middle half, relative to the median.
double relative_spread(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t n = values.size();
  return (values[3 * n / 4] - values[n / 4]) / 2 / values[n / 2];
}

// How many calls make a sample long enough for the clock.
int calls_for(const std::function<void()>& function) {
  function();
  const auto start = Clock::now();
  function();
  const double once = std::max(0.05, microseconds_since(start));
  return std::clamp(static_cast<int>(100.0 / once), 1, 1000);
}

}  // namespace

std::vector<Timing> time_interleaved(const std::vector<std::function<void()>>& functions,
                                     int min_rounds, int max_rounds, double spread) {
  std::vector<int> calls;
  std::vector<std::vector<double>> samples(functions.size());
  for (const auto& f : functions) calls.push_back(calls_for(f));
  for (int round = 0; round < max_rounds; ++round) {
    for (std::size_t i = 0; i < functions.size(); ++i) {
      functions[i]();
      const auto start = Clock::now();
      for (int c = 0; c < calls[i]; ++c) functions[i]();
      samples[i].push_back(microseconds_since(start) / calls[i]);
    }
    if (round + 1 < min_rounds) continue;
    if (std::all_of(samples.begin(), samples.end(),
                    [&](const auto& s) { return relative_spread(s) < spread; }))
      break;
  }
  std::vector<Timing> timings;
  for (auto& s : samples) {
    std::sort(s.begin(), s.end());
    timings.push_back({s[s.size() / 2], s[s.size() * 95 / 100], s.front(), s[s.size() / 4]});
  }
  return timings;
}

}  // namespace xgen
