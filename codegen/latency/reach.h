#pragma once

#include <vector>

#include "codegen/program.h"

namespace xgen::latency {

/// What lies between one use of data and the next.
struct Distance {
  double bytes = 0;  ///< that are touched, each once, the data themselves included: a cache level
                     ///< that holds so many still has them.
  double us = 0;     ///< in which other cores use the level that they share.
};

/// How far a step's data are away. Zeros: the step is repeated alone, and only what it touches
/// itself counts.
struct Reach {
  /// A share of some data that was last used at one time.
  struct Part {
    double share = 1;
    Distance since;
  };
  /// A part of the arena that the step reads or writes. Its bytes may have been used by several
  /// steps before: the parts, the latest first.
  struct Place {
    Buffer buffer;
    std::vector<Part> parts;
  };
  std::vector<Place> places;
  /// Since its weights were last read, or a tensor of the caller used: a whole run.
  Distance run;

  /// Since the data at an offset of the arena were last used; what lies in none of the places is
  /// the caller's or constant.
  std::vector<Part> of(std::size_t address) const;
};

/// Of the steps of a program that is run again and again. @param step_us  what each takes; empty:
/// no time is known.
std::vector<Reach> reach_of(const Program& program, const std::vector<double>& step_us = {});

}  // namespace xgen::latency
