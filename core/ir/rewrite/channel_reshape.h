#pragma once

#include <string>
#include <vector>

#include "core/ir/rewrite/channel_labels.h"

namespace xgen::ir {

/// Labels of the result of a Reshape, Flatten, Squeeze or Unsqueeze, by axis.
///
/// Merged axes repeat a channel's label: [c, h, w] -> [c * h * w] has it h * w times. Of an axis
/// that is split, one part stays labelled, and channels that share it are united: that along which
/// nothing has to be united, else the second of an image's channels [n, g * c, h, w] ->
/// [n, g, c, h, w] (a channel shuffle), else the first.
///
/// @param target_is_known  the result's extents can be rewritten; else what is reshaped is pinned.
/// @param reason           why channels are pinned that cannot be followed.
std::vector<Labels> reshape_labels(const Node& node, ChannelLabels& labels, bool target_is_known,
                                   const std::string& reason);

}  // namespace xgen::ir
