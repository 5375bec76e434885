#pragma once

#include <span>

#include "core/sparsity.h"

namespace xgen::prune {

/// The set that a layer's weights are projected onto: a scheme, its block and how many blocks stay.
struct Constraint {
  Sparsity::Scheme scheme = Sparsity::Scheme::block;  ///< block or pattern.
  int group_out = 4;
  int lane_channels = 4;
  PatternSet patterns;  ///< block: one pattern with every tap.
  int kept_blocks = 1;  ///< of groups x lanes; each group keeps at least one.
};

/// A pattern with every tap of the kernel, for the block scheme.
PatternSet all_taps(const WeightShape& shape);

/// The nearest point of the constraint to `weight` in Euclidean distance, as a mask: for every
/// block the pattern with the most energy (sum of squares over the block), then the blocks with the
/// most energy under their pattern, the best one of each group first.
///
/// Keeping energy is the same as keeping near: what is dropped is the distance. Energies are summed
/// in double in a fixed order; ties go to the pattern and the block that come first. So the result
/// depends on the weights alone.
///
/// @param weight  row-major [c_out, c_in, kh, kw].
/// Source: PatDNN, Niu et al., ASPLOS 2020 (arXiv:2001.00138), section 4.3, for groups of filters.
Sparsity project(std::span<const float> weight, const WeightShape& shape,
                 const Constraint& constraint);

}  // namespace xgen::prune
