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

constexpr int kLevels = 3;  // of Lines

// The order of what is counted.
enum Count {
  kCalls,
  kTiles,                       // kWidest of them, by width
  kEntries = kTiles + kWidest,  // kWidest of them
  kResiduals = kEntries + kWidest,
  kActivations,
  kBorderLanes = kActivations + kFunctions,
  kBorderRuns,
  kSplitLanes,
  kSplitRuns,
  kLines,                      // kLevels of them
  kStored = kLines + kLevels,  // kLevels of them
  kPlaneConvCounts = kStored + kLevels
};

enum MapCount {
  kMapCalls,
  kMapPasses,
  kMapEntries,
  kMapPositionCount,
  kMapResiduals,
  kMapActivations,  // kFunctions of them
  kMapBorderLanes = kMapActivations + kFunctions,
  kMapBorderRuns,
  kMapSplitLanes,
  kMapSplitRuns,
  kMapLines,
  kMapStored = kMapLines + kLevels,
  kMapCounts = kMapStored + kLevels
};

enum FilterCount {
  kFilterCalls,
  kFilterGroups,
  kFilterEntries,
  kFilterActivations,
  kFilterLines = kFilterActivations + kFunctions,
  kFilterCounts = kFilterLines + kLevels
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

void add_lines(Work& work, int first, const Lines& lines) {
  const auto at = static_cast<std::size_t>(first);
  work.counts[at] += lines.l2;
  work.counts[at + 1] += lines.l3;
  work.counts[at + 2] += lines.memory;
}

// Bytes that a convolution writes, and reads of a residual.
double stored_bytes(const xgen_conv& c) {
  const double y = static_cast<double>(c.y.plane) * c.outputs;
  const double split = c.split.data == XGEN_NONE
                           ? 0.0
                           : static_cast<double>(c.split.plane) * c.split.planes * c.split.phases;
  return y + split +
         (c.residual == XGEN_NONE ? 0.0 : static_cast<double>(c.residual_plane) * c.outputs);
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
  if (const auto function = function_of(c.activation)) count(kActivations + *function) = stored;
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
  const double input = lists.lanes * lists.lane_bytes, output = stored_bytes(c);
  const Lines once = streamed(input, 1, weights + output, machine);
  add_lines(work, kStored, streamed(output, 1, weights + input, machine));
  for (const Lines& lines : {from_weights, from_input, once}) add_lines(work, kLines, lines);
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
  if (const auto function = function_of(c.activation))
    count(kMapActivations + *function) = positions * c.groups * vectors;
  const BorderWork border = border_work(c.y, c.outputs), split = split_work(c);
  count(kMapBorderLanes) = border.lanes;
  count(kMapBorderRuns) = border.runs;
  count(kMapSplitLanes) = split.lanes;
  count(kMapSplitRuns) = split.runs;
  // A group's weights are walked through once a pass, and come from far once.
  const double weights = lists.entries * entry_bytes(16, lists.shared);
  const double of_group = weights / std::max(1, c.groups);
  const double input = lists.lanes * lists.lane_bytes;
  const double output = stored_bytes(c);
  const Lines again = streamed(of_group, passes * c.groups, input, machine);
  const Lines once = streamed(weights + input, 1, output, machine);
  add_lines(work, kMapStored, streamed(output, 1, weights + input, machine));
  add_lines(work, kMapLines, again.l2 > once.l2 ? again : once);
  return work;
}

}  // namespace

Lines streamed(double bytes, double times, double others, const Machine& machine) {
  const double lines = bytes / kLine * times;
  const double all = bytes + others;
  if (all <= static_cast<double>(machine.l1_bytes)) return {};
  if (all <= static_cast<double>(machine.l2_bytes)) return {lines, 0, 0};
  // The last level is shared and replaced at random: what fits is found there.
  const double missed = std::max(0.0, 1 - static_cast<double>(machine.l3_bytes) / all);
  return {lines, lines, lines * missed};
}

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
  add_lines(work, kFilterLines, lines);
  if (const auto function = function_of(c.activation))
    count(kFilterActivations + *function) = c.groups * 16.0 / machine.isa.lanes;
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

std::optional<Function> function_of(int kind) {
  switch (kind) {
    case XGEN_LINEAR:
      return {};
    case XGEN_RECIPROCAL:
      return kDivided;
    case XGEN_SIGMOID:
    case XGEN_SILU:
    case XGEN_EXP:
      return kExponential;
    case XGEN_LOG:
    case XGEN_SQRT:
    case XGEN_ERF:
    case XGEN_TANH:
      return kScalarFunction;
    default:
      return kPolynomial;
  }
}

const std::vector<std::string>& function_names() {
  static const std::vector<std::string> names = {"polynomials", "divisions", "exponentials",
                                                 "scalar_functions"};
  return names;
}

std::vector<std::string> conv_work_names(const std::string& kernel) {
  std::vector<std::string> names = {"calls"};
  const auto add = [&](const std::vector<std::string>& more) {
    names.insert(names.end(), more.begin(), more.end());
  };
  const std::vector<std::string> border = {"border_lanes", "border_runs", "split_lanes",
                                           "split_runs"},
                                 lines = {"l2_lines", "l3_lines", "memory_lines"},
                                 stored = {"stored_l2_lines", "stored_l3_lines",
                                           "stored_memory_lines"};
  if (is_plane_conv(kernel)) {
    for (const char* what : {"tiles_", "entries_"}) {
      for (int width = 1; width <= kWidest; ++width) names.push_back(str(what, width));
    }
    add({"residual_vectors"});
  } else if (is_map(kernel)) {
    add({"passes", "entries", "positions", "residual_positions"});
  } else {
    add({"groups", "entries"});
  }
  add(function_names());
  const bool filter = !is_plane_conv(kernel) && !is_map(kernel);
  if (!filter) add(border);
  add(lines);
  if (!filter) add(stored);
  return names;
}

}  // namespace xgen::latency
