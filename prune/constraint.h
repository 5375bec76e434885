#pragma once

#include "core/sparsity.h"

namespace xgen::prune {

/// The set that a layer's weights are projected onto: a scheme, its block and how much stays.
struct Constraint {
  Sparsity::Scheme scheme = Sparsity::Scheme::block;  ///< pattern, block, nm or unstructured.
  int group_out = 4;
  int lane_channels = 4;
  PatternSet patterns;  ///< pattern: what is chosen from; block, nm: one pattern with every tap.
  /// pattern, block: of groups x blocks across, punched ones times taps; each group keeps at least
  /// one. unstructured: weights.
  int kept_blocks = 1;
  int block_lanes = 1;   ///< block: lanes of a block.
  bool punched = false;  ///< block: taps of a block are kept, not whole blocks.
  int run_lanes = 1;     ///< nm: M, lanes of which
  int live_lanes = 1;    ///< nm: N live.

  friend bool operator==(const Constraint&, const Constraint&) = default;
};

/// A pattern with every tap of the kernel. @throws InternalError for more than 64.
inline PatternSet all_taps(const WeightShape& shape) {
  XGEN_CHECK(shape.taps() >= 1 && shape.taps() <= 64, shape.taps(), " taps");
  return {{Pattern{~std::uint64_t{0} >> (64 - shape.taps())}}};
}

}  // namespace xgen::prune
