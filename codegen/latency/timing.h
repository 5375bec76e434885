#pragma once

#include <functional>
#include <vector>

namespace xgen {

/// How long calls of a function take.
struct Timing {
  double median_us = 0, p95_us = 0, min_us = 0;
  double quartile_us = 0;  ///< the lower one: where a machine disturbs more than a quarter of them.
};

/// Interleaved timing: each function in turn, once to fetch what it reads and then timed, until the
/// median of each is stable.
///
/// @param spread  half the width of the middle half of the samples, relative to their median, that
///                is small enough.
std::vector<Timing> time_interleaved(const std::vector<std::function<void()>>& functions,
                                     int min_rounds = 11, int max_rounds = 101,
                                     double spread = 0.02);

}  // namespace xgen
