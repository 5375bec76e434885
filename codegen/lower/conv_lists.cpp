#include "codegen/lower/conv_lists.h"

#include <algorithm>
#include <map>

namespace xgen::lower {

namespace {

std::vector<int> taps_of(const ConvData& data, std::uint64_t mask) {
  std::vector<int> taps;
  for (int t = 0; t < data.taps(); ++t) {
    if (data.taps() > 64 || ((mask >> t) & 1) != 0) taps.push_back(t);
  }
  return taps;
}

}  // namespace

ConvLists make_lists(const ConvData& data, const LaneChannels& lanes, int group) {
  ConvLists lists;
  lists.group = group;
  lists.groups = (data.shape().c_out + group - 1) / group;
  std::map<std::uint64_t, int> known;
  bool full = true;
  for (int g = 0; g < lists.groups; ++g) {
    std::vector<int> entry_lanes, entry_patterns;
    for (int lane = 0; lane < static_cast<int>(lanes.size()); ++lane) {
      std::uint64_t mask = 0;
      for (int f = g * group; f < (g + 1) * group; ++f) {
        for (const int c : lanes[static_cast<std::size_t>(lane)]) {
          if (c < 0 || f >= data.shape().c_out) continue;
          mask |= data.kept_taps(f, c);
          const int kept = Pattern{data.kept_taps(f, c)}.size();
          lists.weights += kept > 0 && data.taps() > 64 ? data.taps() : kept;
        }
      }
      full = full && mask == data.all_taps();
      if (mask == 0) continue;
      const int pattern = known.emplace(mask, static_cast<int>(known.size())).first->second;
      entry_lanes.push_back(lane);
      entry_patterns.push_back(pattern);
    }
    lists.lanes.push_back(std::move(entry_lanes));
    lists.patterns.push_back(std::move(entry_patterns));
  }
  lists.tap_masks.resize(known.size());
  for (const auto& [mask, i] : known) lists.tap_masks[static_cast<std::size_t>(i)] = mask;
  // Weights of an entry have a fixed stride, so patterns of unequal size are widened to all taps;
  // so are too many.
  const bool equal = std::all_of(
      lists.tap_masks.begin(), lists.tap_masks.end(),
      [&](std::uint64_t m) { return Pattern{m}.size() == Pattern{lists.tap_masks[0]}.size(); });
  if (!equal || lists.tap_masks.size() > 255 || data.taps() > 64) {
    lists.tap_masks = {data.all_taps()};
    for (auto& p : lists.patterns) std::fill(p.begin(), p.end(), 0);
  }
  if (lists.tap_masks.empty()) lists.tap_masks = {data.all_taps()};
  lists.shared = full;
  lists.sparse = data.sparsity() != nullptr && !full;
  if (!full && data.conv().groups > 1) {
    bool one_each = true;
    for (int g = 0; g < lists.groups; ++g) {
      const auto& l = lists.lanes[static_cast<std::size_t>(g)];
      one_each = one_each && l.size() == 1 && l[0] == g;
    }
    lists.depthwise = one_each;
    lists.shared = one_each;
  }
  if (lists.shared) {
    lists.lanes.resize(1);
    lists.patterns.resize(1);
  }
  return lists;
}

StoredLists store_lists(Context& context, const ConvData& data, const ConvLists& lists,
                        std::size_t lane_stride, const std::function<int(int)>& tap_offset) {
  xgen_list list{};
  std::vector<std::int32_t> taps;
  for (const std::uint64_t mask : lists.tap_masks) {
    for (const int t : taps_of(data, mask)) taps.push_back(tap_offset(t));
  }
  list.pattern_taps = static_cast<std::int32_t>(taps.size() / lists.tap_masks.size());
  list.taps = context.store(taps);
  list.groups = static_cast<std::int32_t>(lists.lanes.size());
  list.lane_stride = static_cast<std::int32_t>(lane_stride);
  list.counts = list.entries = list.patterns = XGEN_NONE;
  std::size_t entries = 0;
  for (const auto& l : lists.lanes) entries += l.size();
  if (lists.depthwise) {
    list.lanes = 1;
    entries = 1;
  } else if (lists.shared) {
    list.lanes = static_cast<std::int32_t>(lists.lanes[0].size());
  } else {
    std::vector<std::uint16_t> counts, lanes;
    std::vector<std::uint8_t> patterns;
    for (std::size_t g = 0; g < lists.lanes.size(); ++g) {
      counts.push_back(static_cast<std::uint16_t>(lists.lanes[g].size()));
      for (const int lane : lists.lanes[g]) lanes.push_back(static_cast<std::uint16_t>(lane));
      for (const int p : lists.patterns[g]) patterns.push_back(static_cast<std::uint8_t>(p));
    }
    list.counts = context.store(counts);
    list.entries = context.store(lanes);
    if (lists.tap_masks.size() > 1) list.patterns = context.store(patterns);
  }
  list.begin = context.reserve(lists.lanes.size() + 1);
  list.list = context.reserve(entries * static_cast<std::size_t>(list.pattern_taps));
  context.program().lists.push_back(list);
  return {list.list, list.begin};
}

std::size_t store_weights(Context& context, const ConvData& data, const ConvLists& lists,
                          const LaneChannels& lanes) {
  std::vector<float> real;
  std::vector<std::int8_t> quantized;
  for (int g = 0; g < lists.groups; ++g) {
    const std::size_t list = lists.shared ? 0 : static_cast<std::size_t>(g);
    for (std::size_t e = 0; e < lists.lanes[list].size(); ++e) {
      const int lane = lists.depthwise ? g : lists.lanes[list][e];
      for (const int tap :
           taps_of(data, lists.tap_masks[static_cast<std::size_t>(lists.patterns[list][e])])) {
        for (int f = g * lists.group; f < (g + 1) * lists.group; ++f) {
          const auto& channels = lanes[static_cast<std::size_t>(lane)];
          if (data.integer()) {
            for (const int c : channels)
              quantized.push_back(static_cast<std::int8_t>(c < 0 ? 0 : data.quantized(f, c, tap)));
          } else {
            real.push_back(channels[0] < 0 ? 0.0F : data.real(f, channels[0], tap));
          }
        }
      }
    }
  }
  return data.integer() ? context.store(quantized) : context.store(real);
}

}  // namespace xgen::lower
