#pragma once

#include <vector>

#include "codegen/latency/work.h"

namespace xgen::latency {

/// The time in which other cores bring into the last cache level as much as it holds, as far as is
/// seen from how long it keeps what nobody uses; 0 where it keeps it. Takes about two seconds.
double measure_l3_turnover_us(const Caches& caches);

/// How long reading took of what had not been used for a while, both in microseconds.
struct Reread {
  double unused_us = 0, read_us = 0;
};
/// When half of it was lost, by reads in the order of their waits: the first finds all, the last
/// nothing. 0 where the last is not much slower.
double half_life_us(const std::vector<Reread>& reads);

}  // namespace xgen::latency
