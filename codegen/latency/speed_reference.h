#pragma once

#include <limits>
#include <string>

#include "codegen/latency/timed_model.h"
#include "core/target.h"

namespace xgen::latency {

/// Work whose time tells how fast the machine is. Half of it multiplies, half loads and stores.
class SpeedReference {
 public:
  /// @throws UserError when there is no C compiler.
  SpeedReference(const Target& target, const std::string& isa);

  /// Does it once. @return  microseconds.
  double observe();
  /// The least of what was observed, microseconds; infinite before the first time.
  double least_us() const { return least_us_; }

 private:
  TimedModel model_;
  double least_us_ = std::numeric_limits<double>::infinity();
};

}  // namespace xgen::latency
