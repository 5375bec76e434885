#include "codegen/lower/conv_lists.h"

#include <algorithm>
#include <limits>
#include <map>
#include <numeric>
#include <utility>

#include "core/error.h"

namespace xgen::lower {

namespace {

std::vector<int> taps_of(const ConvData& data, std::uint64_t mask) {
  std::vector<int> taps;
  for (int t = 0; t < data.taps(); ++t) {
    if (data.taps() > 64 || ((mask >> t) & 1) != 0) taps.push_back(t);
  }
  return taps;
}

// A mask cut into masks of `size` taps each, the first taps first.
std::vector<std::uint64_t> pieces_of(std::uint64_t mask, int size) {
  std::vector<std::uint64_t> pieces;
  int taken = 0;
  for (int t = 0; t < 64; ++t) {
    if (((mask >> t) & 1) == 0) continue;
    if (taken++ % size == 0) pieces.push_back(0);
    pieces.back() |= std::uint64_t{1} << t;
  }
  return pieces;
}

// What a group of filters reads of one input lane.
struct Entry {
  int lane;
  std::uint64_t taps;
};

// The pattern of an entry is one byte.
constexpr std::size_t kMaxPatterns = 255;

// Weights of an entry have a fixed stride: each entry is cut into entries of `size` taps.
void set_entries(ConvLists& lists, const std::vector<std::vector<Entry>>& groups, int size) {
  std::map<std::uint64_t, int> known;
  std::map<std::uint64_t, std::vector<int>> patterns;  // of the pieces of a mask
  lists.lanes.assign(groups.size(), {});
  lists.patterns.assign(groups.size(), {});
  for (std::size_t g = 0; g < groups.size(); ++g) {
    lists.lanes[g].reserve(groups[g].size());
    lists.patterns[g].reserve(groups[g].size());
    for (const Entry& entry : groups[g]) {
      std::vector<int>& of_entry = patterns[entry.taps];
      if (of_entry.empty()) {
        for (const std::uint64_t piece : pieces_of(entry.taps, size)) {
          const int next = static_cast<int>(known.size());
          of_entry.push_back(known.emplace(piece, next).first->second);
        }
      }
      for (const int pattern : of_entry) {
        lists.lanes[g].push_back(entry.lane);
        lists.patterns[g].push_back(pattern);
      }
    }
  }
  lists.tap_masks.resize(known.size());
  for (const auto& [mask, i] : known) lists.tap_masks[static_cast<std::size_t>(i)] = mask;
}

// Stored lists count entries and lanes in 16 bits.
void check_fits(const ConvData& data, const std::vector<int>& lanes) {
  constexpr int kMost = std::numeric_limits<std::uint16_t>::max();
  const int last = lanes.empty() ? 0 : *std::max_element(lanes.begin(), lanes.end());
  if (last <= kMost && lanes.size() <= kMost) return;
  throw UserError(str("weight \"", data.weight().name, "\": expected a mask of at most ", kMost,
                      " entries a group of filters, among as many input lanes, got ", lanes.size(),
                      " up to lane ", last, "; leave the layer dense"));
}

// The lane that holds each of the input's channels.
std::vector<int> lanes_of_channels(const LaneChannels& lanes, int channels) {
  std::vector<int> lane_of(static_cast<std::size_t>(channels), -1);
  for (std::size_t lane = 0; lane < lanes.size(); ++lane) {
    for (const int c : lanes[lane]) {
      if (c >= 0 && c < channels) lane_of[static_cast<std::size_t>(c)] = static_cast<int>(lane);
    }
  }
  for (int c = 0; c < channels; ++c)
    XGEN_CHECK(lane_of[static_cast<std::size_t>(c)] >= 0, "channel ", c, " is in no lane");
  return lane_of;
}

// Whether filter f reads channel f alone, all taps of it, and each group the lane of its number:
// most depthwise layers, whose lists need no filter to be looked at.
bool reads_lane_by_lane(const ConvData& data, const LaneChannels& lanes, int group) {
  const int channels = data.c_in();
  if (data.sparsity() != nullptr || data.shape().c_in != 1 || data.shape().c_out != channels ||
      group > 4 || lanes.size() < 2 ||
      static_cast<int>(lanes.size()) != (channels + group - 1) / group)
    return false;
  for (int c = 0; c < static_cast<int>(lanes.size()) * 4; ++c) {
    const int byte = c % 4, channel = c / 4 * group + byte;
    const int expected = byte < group && channel < channels ? channel : -1;
    if (lanes[static_cast<std::size_t>(c / 4)][static_cast<std::size_t>(byte)] != expected)
      return false;
  }
  return true;
}

}  // namespace

ConvLists make_lists(const ConvData& data, const LaneChannels& lanes, int group) {
  ConvLists lists;
  lists.group = group;
  lists.groups = (data.shape().c_out + group - 1) / group;
  if (reads_lane_by_lane(data, lanes, group)) {
    lists.depthwise = true;
    lists.lanes = lists.patterns = {{0}};
    lists.tap_masks = {data.all_taps()};
    lists.weights = static_cast<std::int64_t>(data.shape().c_out) * data.taps();
    return lists;
  }
  std::vector<std::vector<Entry>> groups(static_cast<std::size_t>(lists.groups));
  const std::vector<int> lane_of = lanes_of_channels(lanes, data.c_in());
  bool full = true;
  int size = 0;  // divides how many taps each entry has
  std::vector<std::uint64_t> masks(lanes.size(), 0);
  auto taps_in = [&, of = std::uint64_t{0}, count = std::int64_t{0}](std::uint64_t mask) mutable {
    if (mask != of) {  // most are like the one before
      of = mask;
      count = mask == data.all_taps() ? data.taps() : Pattern{mask}.size();
    }
    return count;
  };
  // Without a mask all groups read what the first one reads.
  const bool alike = data.sparsity() == nullptr && data.conv().groups == 1;
  for (int g = 0; g < (alike ? 1 : lists.groups); ++g) {
    std::size_t first = lanes.size(), end = 0;  // lanes that the group reads any of
    const int last = std::min((g + 1) * group, data.shape().c_out);
    for (int f = g * group, next = f; f < last; f = next) {
      next = std::min(data.filters_alike_until(f), last);
      data.visit_channels(f, [&](int begin, int behind, std::uint64_t kept) {
        lists.weights += taps_in(kept) * (next - f) * (behind - begin);
        for (int c = begin; c < behind; ++c) {
          const auto lane = static_cast<std::size_t>(lane_of[static_cast<std::size_t>(c)]);
          masks[lane] |= kept;
          first = std::min(first, lane);
          end = std::max(end, lane + 1);
        }
      });
    }
    full = full && first == 0 && end == lanes.size();
    if (first < end) groups[static_cast<std::size_t>(g)].reserve(end - first);
    for (std::size_t lane = first; lane < end; ++lane) {
      const std::uint64_t mask = std::exchange(masks[lane], 0);
      full = full && mask == data.all_taps();
      if (mask == 0) continue;
      groups[static_cast<std::size_t>(g)].push_back({static_cast<int>(lane), mask});
      size = std::gcd(size, static_cast<int>(taps_in(mask)));
    }
  }
  if (alike) {
    if (full)
      groups.resize(1);
    else
      std::fill(groups.begin() + 1, groups.end(), groups.front());
    lists.weights = static_cast<std::int64_t>(data.shape().c_out) * data.c_in() * data.taps();
  }
  set_entries(lists, groups, size);
  if (lists.tap_masks.size() > kMaxPatterns) set_entries(lists, groups, 1);
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

double taps_in_all(const ConvData& data, const ConvLists& lists) {
  std::vector<double> of_pattern;
  for (const std::uint64_t mask : lists.tap_masks)
    of_pattern.push_back(static_cast<double>(taps_of(data, mask).size()));
  double sum = 0;
  for (const auto& patterns : lists.patterns) {
    for (const int p : patterns) sum += of_pattern[static_cast<std::size_t>(p)];
  }
  return lists.shared ? sum * lists.groups : sum;
}

StoredLists store_lists(Context& context, const ConvData& data, const ConvLists& lists,
                        std::size_t lane_stride, const std::vector<int>& tap_offsets) {
  xgen_list list{};
  std::vector<std::int32_t> taps;
  for (const std::uint64_t mask : lists.tap_masks) {
    for (const int t : taps_of(data, mask))
      taps.push_back(tap_offsets[static_cast<std::size_t>(t)]);
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
      check_fits(data, lists.lanes[g]);
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
  std::vector<std::vector<int>> taps;  // of each pattern
  for (const std::uint64_t mask : lists.tap_masks) taps.push_back(taps_of(data, mask));
  const auto count =
      static_cast<std::size_t>(taps_in_all(data, lists)) * static_cast<std::size_t>(lists.group);
  if (!context.options().fill_weights) {
    context.store_unfilled(4 * count);
    return 0;
  }
  std::vector<float> real;
  std::vector<std::int8_t> quantized;
  data.integer() ? quantized.reserve(4 * count) : real.reserve(count);
  for (int g = 0; g < lists.groups; ++g) {
    const std::size_t list = lists.shared ? 0 : static_cast<std::size_t>(g);
    for (std::size_t e = 0; e < lists.lanes[list].size(); ++e) {
      const int lane = lists.depthwise ? g : lists.lanes[list][e];
      const auto& channels = lanes[static_cast<std::size_t>(lane)];
      for (const int tap : taps[static_cast<std::size_t>(lists.patterns[list][e])]) {
        for (int f = g * lists.group; f < (g + 1) * lists.group; ++f) {
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
