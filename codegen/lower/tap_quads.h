#pragma once

#include <array>
#include <vector>

#include "codegen/lower/conv_lists.h"

/// int8 depthwise convolutions: a dot product of four bytes takes four taps of one channel instead
/// of one tap of four channels, three of which would be zeros.
namespace xgen::lower {

/// Up to four taps side by side in memory, the first at `offset` bytes; -1: none, a zero weight.
struct TapQuad {
  int offset = 0;
  std::array<int, 4> taps{-1, -1, -1, -1};
  friend bool operator==(const TapQuad&, const TapQuad&) = default;
};

/// All taps in quads, in the order of their offsets.
/// @param tap_offsets  bytes of each tap from the first one; neighbours are 4 bytes apart.
std::vector<TapQuad> quads_of(const std::vector<int>& tap_offsets);

/// Whether filter n reads channel n alone, and both have the same place in their lanes.
bool is_channelwise(const ConvData& data, const ConvLists& lists, const LaneChannels& lanes);

/// Stores the one list that all groups share.
StoredLists store_quads(Context& context, const std::vector<TapQuad>& quads);

/// Stores the weights as [group][quad][channel of the group][tap of the quad].
/// @return the offset in weights.bin.
std::size_t store_quad_weights(Context& context, const ConvData& data,
                               const std::vector<TapQuad>& quads, int groups);

}  // namespace xgen::lower
