#pragma once

#include <string>

#include "codegen/latency/timed_model.h"
#include "core/target.h"

namespace xgen::latency {

/// Relative; where the reference's time differs by more the machine is disturbed.
inline constexpr double kSteady = 0.04;

/// Work whose time tells whether the machine is disturbed. Half of it multiplies, half loads and
/// stores: neighbours on the same core slow down each in its own way.
class SpeedReference {
 public:
  /// @throws UserError when there is no C compiler.
  SpeedReference(const Target& target, const std::string& isa);

  void operator()();
  /// Its time when nothing disturbs it: the least of some.
  double undisturbed_us();

 private:
  TimedModel model_;
};

}  // namespace xgen::latency
