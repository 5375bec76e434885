#include "codegen/lower/tap_quads.h"

#include <algorithm>
#include <numeric>

namespace xgen::lower {

std::vector<TapQuad> quads_of(const std::vector<int>& tap_offsets) {
  const auto offset_of = [&](int tap) { return tap_offsets[static_cast<std::size_t>(tap)]; };
  std::vector<int> order(tap_offsets.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](int a, int b) { return offset_of(a) < offset_of(b); });
  std::vector<TapQuad> quads;
  for (const int tap : order) {
    const int offset = offset_of(tap);
    // Phase planes are far apart; taps of one row and phase are 4 bytes apart, or 4 * dilation.
    if (quads.empty() || offset >= quads.back().offset + 16) {
      quads.emplace_back();
      quads.back().offset = offset;
    }
    quads.back().taps[static_cast<std::size_t>((offset - quads.back().offset) / 4)] = tap;
  }
  return quads;
}

bool is_channelwise(const ConvData& data, const ConvLists& lists, const LaneChannels& lanes) {
  if (!lists.depthwise || data.shape().c_in != 1 || data.shape().c_out != data.c_in()) return false;
  for (std::size_t lane = 0; lane < lanes.size(); ++lane) {
    for (std::size_t i = 0; i < 4; ++i) {
      const int channel = static_cast<int>(4 * lane + i);
      if (lanes[lane][i] != (channel < data.c_in() ? channel : -1)) return false;
    }
  }
  return true;
}

StoredLists store_quads(Context& context, const std::vector<TapQuad>& quads) {
  std::vector<std::int32_t> offsets;
  for (const TapQuad& quad : quads) offsets.push_back(quad.offset);
  xgen_list list{};
  list.pattern_taps = static_cast<std::int32_t>(offsets.size());
  list.taps = context.store(offsets);
  list.groups = list.lanes = 1;
  list.counts = list.entries = list.patterns = XGEN_NONE;
  list.begin = context.reserve(2);
  list.list = context.reserve(offsets.size());
  context.program().lists.push_back(list);
  return {list.list, list.begin};
}

std::size_t store_quad_weights(Context& context, const ConvData& data,
                               const std::vector<TapQuad>& quads, int groups) {
  if (!context.options().fill_weights) {
    context.store_unfilled(16 * quads.size() * static_cast<std::size_t>(groups));
    return 0;
  }
  std::vector<std::int8_t> weights;
  for (int group = 0; group < groups; ++group) {
    for (const TapQuad& quad : quads) {
      for (int channel = 4 * group; channel < 4 * (group + 1); ++channel) {
        for (const int tap : quad.taps) {
          const bool kept = tap >= 0 && channel < data.shape().c_out;
          weights.push_back(
              static_cast<std::int8_t>(kept ? data.quantized(channel, channel, tap) : 0));
        }
      }
    }
  }
  return context.store(weights);
}

}  // namespace xgen::lower
