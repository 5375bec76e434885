#pragma once

#include <functional>
#include <vector>

namespace xgen {

/// How long calls of a function take.
struct Timing {
  double median_us = 0, p95_us = 0, min_us = 0;
};

double median(std::vector<double> values);  ///< of at least one.
/// @param microseconds  of the calls, at least one.
Timing timing_of(std::vector<double> microseconds);

/// Interleaved timing: each function in turn, once to fetch what it reads and then timed, until the
/// median of each is stable, or 20 s and 5 rounds have passed.
///
/// @param spread  half the width of the middle half of the samples, relative to their median, that
///                is small enough.
std::vector<Timing> time_interleaved(const std::vector<std::function<void()>>& functions,
                                     int min_rounds = 11, int max_rounds = 101,
                                     double spread = 0.02);

}  // namespace xgen
