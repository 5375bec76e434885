#pragma once

#include <span>

#include "core/sparsity.h"

namespace xgen::prune {

/// Every pattern of a 3x3 kernel which keeps the centre and `taps` - 1 of the other eight, in
/// ascending order of their bits: 56 for four taps.
PatternSet centred_patterns(int taps);

/// The patterns that serve a layer: each block (group_out filters x lane_channels channels) votes
/// for the centred pattern that keeps the most of its energy; the `count` patterns with the most
/// votes win, in that order. Blocks of zeros do not vote, so that a masked layer is masked the same
/// way again; where nobody votes the first pattern serves. Others without a vote are never chosen;
/// ties go to the smaller bits.
///
/// @param energy  of each weight, row-major [c_out, c_in, 3, 3].
/// Source: PatDNN, arXiv:2001.00138, section 4.1; one set a layer, as patterns are data of a
/// kernel.
PatternSet choose_patterns(std::span<const double> energy, const WeightShape& shape, int group_out,
                           int lane_channels, int taps, int count);

}  // namespace xgen::prune
