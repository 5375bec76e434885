#pragma once

#include <string>
#include <vector>

#include "core/sparsity.h"

namespace xgen {

/// A convolution as latency models see it: what it computes, not what its weights are.
struct LayerShape {
  int c_in = 0, c_out = 0, kernel_h = 1, kernel_w = 1;
  int stride = 1, dilation = 1, groups = 1;
  int height = 1, width = 1;  ///< of the input.
  int pad_top = 0, pad_left = 0, pad_bottom = 0, pad_right = 0;
  bool int8 = false;

  friend bool operator==(const LayerShape&, const LayerShape&) = default;
};

/// How a layer is kept: which share of its blocks, and how many taps of each.
struct LayerVariant {
  Sparsity::Scheme scheme = Sparsity::Scheme::dense;
  int group_out = 1;       ///< filters of a block.
  int lane_channels = 1;   ///< channels of a block.
  int taps = 0;            ///< kept taps of a block; 0: all.
  double kept_blocks = 1;  ///< share of the blocks of each group, in (0, 1].

  friend bool operator==(const LayerVariant&, const LayerVariant&) = default;
};

/// "conv 16->32 3x3 s2 p1,1,1,1 32x32 int8 | pattern g4 l4 t4 0.25": the name of a latency in
/// files.
std::string to_string(const LayerShape& shape);
std::string to_string(const LayerVariant& variant);

/// The time of one layer on one device. Pruning and search ask it and do not know where it comes
/// from.
class LatencyModel {
 public:
  virtual ~LatencyModel() = default;
  /// One image, one thread.
  virtual double latency_us(const LayerShape& shape, const LayerVariant& variant) const = 0;
  /// For reports: "measured on this machine", "predicted".
  virtual std::string source() const = 0;
};

}  // namespace xgen
