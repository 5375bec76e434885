#pragma once

#include <string>
#include <vector>

#include "codegen/latency/work.h"

namespace xgen::latency {

/// How far a static estimate is taken to be off, relative: it knows the order of kernels, not their
/// times.
inline constexpr double kStaticError = 0.5;

/// Microseconds per count of a kernel, from the description of the target alone: what a core of
/// usual width does of each in a cycle.
std::vector<double> static_factors(const std::string& kernel, const Machine& machine);

}  // namespace xgen::latency
