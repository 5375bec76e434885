#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>

#include "codegen/latency/table.h"

namespace xgen::latency {

struct BuildOptions {
  double minutes = 2;
  std::uint64_t seed = 1;
  /// The table as it grows, stored after every batch; goes on with what is there.
  std::filesystem::path file;
  /// Called after each batch with the minutes used, and how many kernels were measured so far.
  std::function<void(double, std::size_t)> progress;
  /// Asked after each batch; true ends the work, and what was measured is kept.
  std::function<bool()> stop_requested;
};

/// Measures kernels of sampled networks on this machine until the time is used up, and fits a
/// table.
///
/// Each kernel is timed within the runs of its network, in turns that lie apart, of which the least
/// counts: what it takes where nothing disturbs the machine. The last networks are measured to the
/// end, some seconds longer.
///
/// @throws UserError without a C compiler, for a target whose kernels do not run here, and for a
///         file that holds a table of another platform.
LatencyTable build_table(const Target& target, const BuildOptions& options);

}  // namespace xgen::latency
