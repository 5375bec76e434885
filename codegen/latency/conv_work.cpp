#include "codegen/latency/conv_work.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>

#include "core/error.h"

namespace xgen::latency {

namespace {

constexpr int kWidest = 8;        // vectors of a tile: what widest_tile() gives at most
constexpr double kLine = 64;      // bytes of a cache line
constexpr int kMapPositions = 4;  // positions that filter_conv_map computes at a time

// The order of what is counted.
enum Count {
  kCalls,
  kTiles,                       // kWidest of them, by width
  kEntries = kTiles + kWidest,  // kWidest of them
  kResiduals = kEntries + kWidest,
  kActivations,
  kBorderLanes,
  kBorderRuns,
  kSplitLanes,
  kSplitRuns,
  kL2Lines,
  kL3Lines,
  kPlaneConvCounts
};

enum MapCount {
  kMapCalls,
  kMapPasses,
  kMapEntries,
  kMapPositionCount,
  kMapResiduals,
  kMapActivations,
  kMapBorderLanes,
  kMapBorderRuns,
  kMapSplitLanes,
  kMapSplitRuns,
  kMapL2Lines,
  kMapL3Lines,
  kMapCounts
};

enum FilterCount {
  kFilterCalls,
  kFilterGroups,
  kFilterEntries,
  kFilterL2,
  kFilterL3,
  kFilterCounts
};

bool is_map(const std::string& kernel) { return kernel.rfind("filter_conv_map", 0) == 0; }
bool is_plane_conv(const std::string& kernel) { return kernel.rfind("plane_conv", 0) == 0; }

const kernels::PlaneConvVariant& variant_of(const std::string& kernel) {
  for (const kernels::PlaneConvVariant& v : kernels::plane_conv_variants()) {
    if (kernel == v.symbol()) return v;
  }
  XGEN_CHECK(false, "no plane_conv is called ", kernel);
  return kernels::plane_conv_variants().front();
}

// The phase planes that a convolution writes besides its own.
BorderWork split_work(const xgen_conv& c) {
  if (c.split.data == XGEN_NONE) return {};
  const double planes = static_cast<double>(c.split.planes) * c.split.phases;
  const double rows = c.split.top + c.split.height + c.split.bottom;
  return {planes * rows * c.split.pitch, planes * c.split.height};
}

// Lines that `bytes` of weights take from farther than the first level when they are walked through
// `times` times beside `others` bytes which are in use as well.
struct Lines {
  double l2 = 0, l3 = 0;
};
Lines streamed(double bytes, double times, double others, const Machine& machine) {
  const double lines = bytes / kLine * times;
  if (bytes + others > static_cast<double>(machine.l2_bytes)) return {lines, lines};
  if (bytes + others > static_cast<double>(machine.l1_bytes)) return {lines, 0};
  return {};
}

// Bytes of one entry's weights and of its place in the list.
double entry_bytes(int group, bool shared) { return 4.0 * group + (shared ? 0.0 : 4.0); }

Work plane_conv_work(const std::string& kernel, const xgen_conv& c, const ListWork& lists,
                     const Machine& machine) {
  const kernels::PlaneConvVariant& variant = variant_of(kernel);
  const int lanes = machine.isa.lanes, widest = kernels::widest_tile(variant, machine.isa);
  const int chunks = c.flat != 0 ? 1 : (c.y.width + lanes - 1) / lanes;
  const int steps = c.flat != 0 ? (c.y.height * c.y.pitch + lanes - 1) / lanes : c.y.height;
  const int per_chunk = (steps + widest - 1) / widest;
  // Widths of a chunk's tiles differ by at most one.
  const int narrow = steps / per_chunk, wide_tiles = steps % per_chunk;

  Work work{kernel, std::vector<double>(kPlaneConvCounts, 0.0)};
  const auto count = [&](int what) -> double& {
    return work.counts[static_cast<std::size_t>(what)];
  };
  count(kCalls) = 1;
  const auto tiles = [&](int width, int number) {
    if (number == 0) return;
    count(kTiles + width - 1) += static_cast<double>(number) * chunks * c.groups;
    count(kEntries + width - 1) += static_cast<double>(number) * chunks * lists.entries;
  };
  tiles(narrow, per_chunk - wide_tiles);
  tiles(narrow + 1, wide_tiles);
  const double stored = static_cast<double>(chunks) * steps * c.outputs;
  if (c.residual != XGEN_NONE) count(kResiduals) = stored;
  if (c.activation != XGEN_LINEAR) count(kActivations) = stored;
  const BorderWork border = border_work(c.y, c.outputs), split = split_work(c);
  count(kBorderLanes) = border.lanes;
  count(kBorderRuns) = border.runs;
  count(kSplitLanes) = split.lanes;
  count(kSplitRuns) = split.runs;

  const double tile_count = static_cast<double>(chunks) * per_chunk;
  const double weights = lists.entries * entry_bytes(variant.group, lists.shared);
  const double tile_input = lists.lanes * std::min(lists.lane_bytes, 4.0 * lanes * widest * 2);
  const Lines from_weights = streamed(weights, tile_count, tile_input, machine);
  // Each group of filters reads a tile's input again.
  const Lines from_input =
      streamed(tile_input, tile_count * c.groups,
               std::min(weights, entry_bytes(variant.group, lists.shared)), machine);
  const Lines once = streamed(lists.lanes * lists.lane_bytes, 1, weights, machine);
  count(kL2Lines) = from_weights.l2 + from_input.l2 + once.l2;
  count(kL3Lines) = from_weights.l3 + from_input.l3 + once.l3;
  return work;
}

Work filter_map_work(const std::string& kernel, const xgen_conv& c, const ListWork& lists,
                     const Machine& machine) {
  const double positions = static_cast<double>(c.y.height) * c.y.width;
  const double passes = std::ceil(positions / kMapPositions), vectors = 16.0 / machine.isa.lanes;
  Work work{kernel, std::vector<double>(kMapCounts, 0.0)};
  const auto count = [&](int what) -> double& {
    return work.counts[static_cast<std::size_t>(what)];
  };
  count(kMapCalls) = 1;
  count(kMapPasses) = passes * c.groups;
  count(kMapEntries) = passes * lists.entries * vectors;
  count(kMapPositionCount) = positions * c.groups;
  if (c.residual != XGEN_NONE) count(kMapResiduals) = positions * c.groups;
  if (c.activation != XGEN_LINEAR) count(kMapActivations) = positions * c.groups * vectors;
  const BorderWork border = border_work(c.y, c.outputs), split = split_work(c);
  count(kMapBorderLanes) = border.lanes;
  count(kMapBorderRuns) = border.runs;
  count(kMapSplitLanes) = split.lanes;
  count(kMapSplitRuns) = split.runs;
  // A group's weights are walked through once a pass, and come from far once.
  const double weights = lists.entries * entry_bytes(16, lists.shared);
  const double of_group = weights / std::max(1, c.groups);
  const double input = lists.lanes * lists.lane_bytes;
  const Lines again = streamed(of_group, passes * c.groups, input, machine);
  const Lines once = streamed(weights + input, 1, 0, machine);
  count(kMapL2Lines) = std::max(again.l2, once.l2);
  count(kMapL3Lines) = std::max(again.l3, once.l3);
  return work;
}

}  // namespace

BorderWork border_work(const xgen_planes& p, int count) {
  const int gap = p.pitch - p.width, above = p.top * p.pitch + p.left;
  if (p.phases > 1 || (gap == 0 && above == 0 && p.bottom == 0)) return {};
  const double below = gap + p.bottom * p.pitch + p.right;
  const double planes = count;
  return {planes * (above + static_cast<double>(gap) * (p.height - 1) + below),
          planes * (p.height + 1)};
}

ListWork list_work(const Program& program, std::int32_t list, std::int32_t groups) {
  const auto at = std::find_if(program.lists.begin(), program.lists.end(),
                               [&](const xgen_list& l) { return l.list == list; });
  XGEN_CHECK(at != program.lists.end(), "no list ", list, " in ", program.name);
  ListWork work;
  work.lane_bytes = at->lane_stride;
  work.shared = at->counts == XGEN_NONE;
  if (work.shared) {
    work.lanes = at->lanes;
    work.entries = static_cast<double>(at->lanes) * at->pattern_taps * groups;
    return work;
  }
  const std::byte* counts = program.weights.data() + at->counts;
  std::int64_t entries = 0;
  for (std::int32_t g = 0; g < at->groups; ++g) {
    std::uint16_t count = 0;
    std::memcpy(&count, counts + 2 * g, 2);
    entries += count;
  }
  std::uint16_t last = 0;
  for (std::int64_t e = 0; e < entries; ++e) {
    std::uint16_t lane = 0;
    std::memcpy(&lane, program.weights.data() + at->entries + 2 * e, 2);
    last = std::max(last, lane);
  }
  work.lanes = last + 1;
  work.entries = static_cast<double>(entries) * at->pattern_taps;
  return work;
}

Work conv_map_work(const std::string& kernel, const xgen_conv& args, const ListWork& lists,
                   const Machine& machine) {
  return is_map(kernel) ? filter_map_work(kernel, args, lists, machine)
                        : plane_conv_work(kernel, args, lists, machine);
}

Work filter_conv_work(const std::string& kernel, const xgen_filter_conv& c, const ListWork& lists,
                      const Machine& machine) {
  Work work{kernel, std::vector<double>(kFilterCounts, 0.0)};
  const auto count = [&](int what) -> double& {
    return work.counts[static_cast<std::size_t>(what)];
  };
  count(kFilterCalls) = 1;
  count(kFilterGroups) = c.groups;
  count(kFilterEntries) = lists.entries * 16.0 / machine.isa.lanes;
  const Lines lines = streamed(lists.entries * entry_bytes(16, lists.shared), 1, 0, machine);
  count(kFilterL2) = lines.l2;
  count(kFilterL3) = lines.l3;
  return work;
}

Work conv_work(const Program& program, const std::string& kernel, const xgen_conv& args,
               const Machine& machine) {
  return conv_map_work(kernel, args, list_work(program, args.list, args.groups), machine);
}

Work conv_work(const Program& program, const std::string& kernel, const xgen_filter_conv& args,
               const Machine& machine) {
  return filter_conv_work(kernel, args, list_work(program, args.list, args.groups), machine);
}

std::vector<std::string> conv_work_names(const std::string& kernel) {
  if (is_plane_conv(kernel)) {
    std::vector<std::string> names = {"calls"};
    for (const char* what : {"tiles_", "entries_"}) {
      for (int width = 1; width <= kWidest; ++width) names.push_back(str(what, width));
    }
    for (const char* what : {"residual_vectors", "activation_vectors", "border_lanes",
                             "border_runs", "split_lanes", "split_runs", "l2_lines", "l3_lines"})
      names.emplace_back(what);
    return names;
  }
  if (is_map(kernel)) {
    return {"calls",       "passes",       "entries",     "positions",   "residual_positions",
            "activations", "border_lanes", "border_runs", "split_lanes", "split_runs",
            "l2_lines",    "l3_lines"};
  }
  return {"calls", "groups", "entries", "l2_lines", "l3_lines"};
}

}  // namespace xgen::latency
