#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "codegen/lower/conv_data.h"

namespace xgen::lower {

/// A convolution as kernels see it: for each group of filters, entries of (input lane, taps).
struct ConvLists {
  int group = 1;  ///< filters a group.
  int groups = 0;
  bool shared = true;                      ///< every group reads every lane and tap.
  bool depthwise = false;                  ///< group n reads lane n alone.
  std::vector<std::vector<int>> lanes;     ///< [groups or 1][entries].
  std::vector<std::vector<int>> patterns;  ///< [groups or 1][entries], into tap_masks.
  std::vector<std::uint64_t> tap_masks;
  bool sparse = false;
  std::int64_t weights = 0;  ///< kept ones, padding not counted.
};

/// Lists for groups of `group` filters. An entry keeps taps that any filter of its group keeps: all
/// of them where all lanes keep equally many, else as many as divide all their numbers, so that a
/// lane has several entries.
ConvLists make_lists(const ConvData& data, const LaneChannels& lanes, int group);

/// How many taps all groups read, over all lanes.
double taps_in_all(const ConvData& data, const ConvLists& lists);

/// Where a program finds its lists, as indices into its tables.
struct StoredLists {
  std::int32_t list = 0, begin = 0;
};

/// Stores the lists in their compact form, and registers how init expands them to byte offsets.
///
/// @param lane_stride  bytes from one input lane to the next.
/// @param tap_offsets  bytes of each tap from the first one.
StoredLists store_lists(Context& context, const ConvData& data, const ConvLists& lists,
                        std::size_t lane_stride, const std::vector<int>& tap_offsets);

/// Stores the weights as [group][entry][tap][filter of the group], in int8 four channels a lane.
/// @return the offset in weights.bin.
std::size_t store_weights(Context& context, const ConvData& data, const ConvLists& lists,
                          const LaneChannels& lanes);

}  // namespace xgen::lower
