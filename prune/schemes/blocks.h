#pragma once

#include <span>
#include <vector>

#include "prune/config.h"
#include "prune/constraint.h"

/// What schemes share that keep or drop blocks of weights.
namespace xgen::prune {

/// Blocks of a constraint: one below the other (groups of filters), and side by side (lanes).
int blocks_down(const WeightShape& shape, const Constraint& c);
int blocks_across(const WeightShape& shape, const Constraint& c);

/// A constraint with the block that the config says, and nothing kept yet.
Constraint block_constraint(const PruneConfig& config);

/// Some of `kept` to all of `units`, by how open a constraint still is.
int relaxed_count(int kept, int units, double open);

/// `share` of `units`, rounded down, whatever the last bit of the share is.
int share_of(int units, double share);

/// 1 for the `wanted` units with the most energy, the best one of each of the `groups` equal parts
/// first; ties go to the first.
std::vector<std::uint8_t> most_energy(std::span<const double> energies, std::size_t groups,
                                      std::int64_t wanted);

/// For every block the pattern with the most energy, then the kept_blocks blocks with the most
/// energy under their pattern, the best one of each group first.
Sparsity project_blocks(std::span<const double> energy, const WeightShape& shape,
                        const Constraint& c);

/// What each block keeps as what each lane keeps.
std::vector<std::int32_t> spread_over_lanes(const std::vector<std::int32_t>& blocks,
                                            const WeightShape& shape, const Constraint& c);

/// Kernels of `taps` taps each, with 1 for those that stay, as patterns and an index for each.
struct KeptTaps {
  PatternSet patterns;
  std::vector<std::int32_t> kept;
};
KeptTaps patterns_of(const std::vector<std::uint8_t>& kept, int taps);

}  // namespace xgen::prune
