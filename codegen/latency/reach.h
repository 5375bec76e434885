#pragma once

#include <vector>

#include "codegen/program.h"

namespace xgen::latency {

/// How many bytes are touched from one use of a step's data to the next, the data themselves
/// included: a cache level that holds so many still has them. Zeros: the step is repeated alone,
/// and only what it touches itself counts.
struct Reach {
  double input = 0;      ///< since what it reads was written.
  double output = 0;     ///< since the place of what it writes was last used.
  double constants = 0;  ///< since its weights were last read.
};

/// Of the steps of a program that is run again and again.
std::vector<Reach> reach_of(const Program& program);

}  // namespace xgen::latency
