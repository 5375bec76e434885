#pragma once

#include <vector>

#include "core/ir/rewrite/channel_groups.h"

namespace xgen::ir {

/// The smaller network without some channels: constants lose their slices; groups of depthwise
/// convolutions, targets of Reshape, ranges of Slice, amounts of Pad and indices of Gather follow.
/// What is left computes what the whole network computes when the removed units' slices are zero,
/// up to the order of sums.
///
/// @param graph    what channel_groups() was given. Names of nodes and values stay.
/// @param removed  units of its groups, none of them pinned.
/// @return         with shapes.
/// @throws UserError naming a node of which no channel would be left, or a weight with a mask.
Graph shrink_channels(const Graph& graph, const std::vector<ChannelUnit>& removed);

}  // namespace xgen::ir
