#pragma once

#include <vector>

#include "codegen/program.h"

namespace xgen::latency {

/// What lies between one use of data and the next.
struct Distance {
  double bytes = 0;  ///< that are touched, the data themselves included: a cache level that holds
                     ///< so many still has them.
  double us = 0;     ///< in which other cores use the level that they share.
};

/// How far a step's data are away. Zeros: the step is repeated alone, and only what it touches
/// itself counts.
struct Reach {
  Distance input;      ///< since what it reads was written.
  Distance output;     ///< since the place of what it writes was last used.
  Distance constants;  ///< since its weights were last read.
};

/// Of the steps of a program that is run again and again. @param step_us  what each takes; empty:
/// no time is known.
std::vector<Reach> reach_of(const Program& program, const std::vector<double>& step_us = {});

}  // namespace xgen::latency
