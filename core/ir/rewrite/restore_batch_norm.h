#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/ir/graph.h"

namespace xgen::ir {

/// Statistics of a convolution's output, bias included, per channel.
struct ChannelStatistics {
  std::vector<float> mean;
  std::vector<float> variance;
};

/// Inserts a batch norm after each convolution in `statistics` (by node name), such that outputs
/// do not change: scale = sqrt(variance + eps), shift = mean. The bias of the convolution moves
/// into it: bn(x) = (conv(x) - (mean - bias)) * scale / sqrt(variance + eps) + mean.
///
/// The convolution keeps its name; the batch norm is called NAME.bn and computes the value that
/// the convolution computed before.
/// @throws InternalError for a name that is no convolution and for wrong channel counts.
Graph restore_batch_norm(Graph graph, const std::map<std::string, ChannelStatistics>& statistics);

}  // namespace xgen::ir
