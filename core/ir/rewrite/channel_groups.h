#pragma once

#include <string>
#include <vector>

#include "core/ir/graph.h"

namespace xgen::ir {

/// One index of one axis of a constant: a filter of a weight, a channel of another layer's weight
/// that reads it, an entry of a batch norm's scale.
struct ConstantSlice {
  ValueId constant = kNoValue;
  int axis = 0;
  int index = 0;
  friend bool operator==(const ConstantSlice&, const ConstantSlice&) = default;
};

/// Channels that only go together, with all that goes with them.
struct ChannelUnit {
  std::vector<ConstantSlice> filters;  ///< of weights that compute the channels.
  std::vector<ConstantSlice> others;   ///< of their biases and batch norms, and of their readers.
  std::string pinned;                  ///< why the unit cannot be removed; empty where it can.
  int label = 0;                       ///< of ChannelLabels.
};

/// Units that some layer computes together: what is ranked and thinned out as one.
struct ChannelGroup {
  std::vector<std::string> producers;  ///< nodes with the weights that compute the channels.
  std::vector<ChannelUnit> units;      ///< in the order of the first producer's filters.
};

/// Groups of channels that can be removed from a network, and what depends on each (DepGraph,
/// arXiv:2301.12900, by labels instead of a matrix of dependences): through residual adds, concat,
/// depthwise and grouped convolution, squeeze and excite, flatten, batch norm, slices, padding of
/// channels and channel shuffles.
///
/// @param graph  with shapes, after fold_constants, before quantization and masks.
/// @return       in the order of the graph; groups of which every unit is pinned included.
std::vector<ChannelGroup> channel_groups(const Graph& graph);

}  // namespace xgen::ir
