#include "codegen/latency/conv_work.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

#include "codegen/kernels/plane_conv.h"
#include "codegen/latency/counts.h"
#include "core/error.h"

namespace xgen::latency {

namespace {

constexpr int kWidest = 8;  // vectors of a tile: what widest_tile() gives at most

bool is_map(const std::string& kernel) { return kernel.rfind("filter_conv_map", 0) == 0; }
bool is_depthwise(const std::string& kernel) { return kernel == "depthwise_f32"; }
bool is_plane_conv(const std::string& kernel) { return kernel.rfind("plane_conv", 0) == 0; }

const kernels::PlaneConvVariant& variant_of(const std::string& kernel) {
  for (const kernels::PlaneConvVariant& v : kernels::plane_conv_variants()) {
    if (kernel == v.symbol()) return v;
  }
  XGEN_CHECK(false, "no plane_conv is called ", kernel);
  return kernels::plane_conv_variants().front();
}

// Weights are streamed in the order they lie in, which the processor foresees.
std::vector<std::string> weight_names() {
  return {"weight_l2_lines", "weight_l3_lines", "weight_memory_lines"};
}

// Bytes of what a convolution writes and adds.
struct Results {
  double y, split, residual;
  double bytes() const { return y + split + residual; }
};
Results results_of(const xgen_conv& c) {
  return {static_cast<double>(c.y.plane) * c.outputs,
          c.split.data == XGEN_NONE
              ? 0.0
              : static_cast<double>(c.split.plane) * c.split.planes * c.split.phases,
          c.residual == XGEN_NONE ? 0.0 : static_cast<double>(c.residual_plane) * c.outputs};
}

// Bytes of one entry's weights and of its place in the list.
double entry_bytes(int group, bool shared) { return 4.0 * group + (shared ? 0.0 : 4.0); }

// Entries whose vectors cross cache lines, each counted by the share of vectors that do: those that
// start off a vector's alignment.
double crossing_entries(const xgen_conv& c, const ListWork& lists, const Machine& machine) {
  const auto vector = static_cast<std::int64_t>(4 * machine.isa.lanes);
  const double share = static_cast<double>(vector) / kLine;
  const bool rows_aligned = c.flat != 0 || c.x_row % vector == 0;
  double crossing = 0;
  for (const auto& [offset, entries] : lists.taps) {
    const auto place = static_cast<std::int64_t>(c.x) + offset;
    if (!rows_aligned || place % vector != 0) crossing += entries * share;
  }
  return machine.isa.lanes == 1 ? 0 : crossing;
}

// Cache lines of one input lane that a tile of `width` vectors reads: its taps overlap.
double window_lines(const xgen_conv& c, const ListWork& lists, int width, const Machine& machine) {
  const std::int64_t vector = 4 * machine.isa.lanes, run = c.flat != 0 ? width * vector : vector;
  constexpr auto kLineBytes = static_cast<std::int64_t>(kLine);
  std::vector<std::int64_t> lines;
  for (const auto& [offset, entries] : lists.taps) {
    for (int row = 0; row < (c.flat != 0 ? 1 : width); ++row) {
      const std::int64_t first = static_cast<std::int64_t>(c.x) + offset + row * c.x_row;
      for (std::int64_t line = first / kLineBytes; line <= (first + run - 1) / kLineBytes; ++line)
        lines.push_back(line);
    }
  }
  std::sort(lines.begin(), lines.end());
  return static_cast<double>(std::unique(lines.begin(), lines.end()) - lines.begin());
}

// Everything that a convolution does after its sums.
void add_results(Counts& counts, const xgen_conv& c) {
  counts.border(c.y, c.outputs);
  if (c.split.data != XGEN_NONE) counts.split(c.split);
}

// Its tensors, each used once. @param own  bytes that it touches in all.
void add_memory(Counts& counts, const xgen_conv& c, double input, double own,
                const Machine& machine, const Reach& reach) {
  const auto lines = [&](double bytes, std::size_t at) {
    return found(bytes, own, reach.of(at), machine);
  };
  const Results results = results_of(c);
  counts.add("", lines(input, c.x));
  counts.add("stored_", lines(results.y, c.y.data));
  counts.add("stored_", lines(results.split, c.split.data));
  counts.add("stored_", lines(results.residual, c.residual));
}

Work plane_conv_work(const std::string& kernel, const xgen_conv& c, const ListWork& lists,
                     const Machine& machine, const Reach& reach) {
  const kernels::PlaneConvVariant& variant = variant_of(kernel);
  const int lanes = machine.isa.lanes, widest = kernels::widest_tile(variant, machine.isa);
  const int chunks = c.flat != 0 ? 1 : (c.y.width + lanes - 1) / lanes;
  const int steps = c.flat != 0 ? (c.y.height * c.y.pitch + lanes - 1) / lanes : c.y.height;
  const int per_chunk = (steps + widest - 1) / widest;
  // Widths of a chunk's tiles differ by at most one.
  const int narrow = steps / per_chunk, wide_tiles = steps % per_chunk;
  const double all_steps = static_cast<double>(chunks) * steps;

  Counts counts(kernel, machine, reach);
  counts.call();
  const auto tiles = [&](int width, int number) {
    if (number == 0) return;
    counts.add(str("tiles_", width), static_cast<double>(number) * chunks * c.groups);
    counts.add(str("entries_", width), static_cast<double>(number) * chunks * lists.entries);
  };
  tiles(narrow, per_chunk - wide_tiles);
  tiles(narrow + 1, wide_tiles);
  counts.add("crossing_vectors", all_steps * crossing_entries(c, lists, machine));
  const double stored = all_steps * c.outputs;
  counts.add("stored_vectors", stored);
  if (c.residual != XGEN_NONE) counts.add("residual_vectors", stored);
  counts.function(c.activation, stored);
  add_results(counts, c);

  // A group's weights serve two tiles at once.
  const double tile_count = static_cast<double>(chunks) * per_chunk,
               pair_count = static_cast<double>(chunks) * ((per_chunk + 1) / 2);
  const double weights = lists.entries * entry_bytes(variant.group, lists.shared);
  const double window = kLine * window_lines(c, lists, narrow, machine);
  // A depthwise group reads lanes of its own.
  const bool own_lanes = c.x_group != 0;
  const double input = lists.lanes * lists.lane_bytes * (own_lanes ? c.groups : 1);
  const double own = input + weights + results_of(c).bytes();
  counts.add("weight_", streamed(weights, 1, at_least(own, reach.run), machine));
  counts.add("weight_",
             streamed(weights, pair_count - 1, {weights + 2 * lists.lanes * window}, machine));
  // Each further group of filters reads the input of both tiles again.
  if (!own_lanes && c.groups > 1) {
    const double of_group = lists.group_lanes * window / c.groups;
    counts.add("", streamed(of_group, tile_count * (c.groups - 1),
                            {2 * lists.lanes * window + weights / c.groups}, machine));
  }
  add_memory(counts, c, input, own, machine, reach);
  return counts.take();
}

Work depthwise_work(const std::string& kernel, const xgen_conv& c, const ListWork& lists,
                    const Machine& machine, const Reach& reach) {
  const int lanes = machine.isa.lanes, across = (c.y.width + lanes - 1) / lanes;
  const double columns = static_cast<double>(across) * c.groups, rows = columns * c.y.height;
  // With stride 1 the third row of the window lies two strides below the first.
  const auto first = lists.taps.begin()->first;
  const bool strided =
      lists.taps.count(first + 2 * static_cast<std::int32_t>(c.x_row)) == 0 && c.flat == 0;
  Counts counts(kernel, machine, reach);
  counts.call();
  counts.add("planes", c.groups);
  counts.add("columns", columns);
  counts.add(strided ? "strided_rows" : "window_rows", rows);
  counts.add("crossing_vectors",
             static_cast<double>(across) * c.y.height * crossing_entries(c, lists, machine));
  if (c.residual != XGEN_NONE) counts.add("residual_vectors", rows);
  counts.function(c.activation, rows);
  add_results(counts, c);
  const double input = lists.lanes * lists.lane_bytes * c.groups;
  add_memory(counts, c, input, input + results_of(c).bytes(), machine, reach);
  return counts.take();
}

Work filter_map_work(const std::string& kernel, const xgen_conv& c, const ListWork& lists,
                     const Machine& machine, const Reach& reach) {
  const double positions = static_cast<double>(c.y.height) * c.y.width;
  // Eight positions a pass, and four where no more are left.
  const double wide = std::ceil(std::max(0.0, positions - 4) / 8),
               narrow = 8 * wide < positions ? 1 : 0, passes = wide + narrow;
  const double vectors = 16.0 / machine.isa.lanes;
  Counts counts(kernel, machine, reach);
  counts.call();
  counts.add("groups", c.groups);
  counts.add("passes", passes * c.groups);
  counts.add("entries_4", narrow * lists.entries * vectors);
  counts.add("entries_8", wide * lists.entries * vectors);
  counts.add("positions", positions * c.groups);
  counts.add("stored_lanes", positions * c.outputs);
  if (c.residual != XGEN_NONE) counts.add("residual_positions", positions * c.groups);
  counts.function(c.activation, positions * c.groups * vectors);
  add_results(counts, c);
  const double weights = lists.entries * entry_bytes(16, lists.shared);
  const double input = lists.lanes * lists.lane_bytes;
  const double own = input + weights + results_of(c).bytes(),
               of_group = weights / std::max(1, c.groups);
  // A group's weights are walked through once a pass.
  counts.add("weight_", streamed(weights, 1, at_least(own, reach.run), machine));
  counts.add("weight_", streamed(weights, passes - 1, {of_group + input}, machine));
  add_memory(counts, c, input, own, machine, reach);
  return counts.take();
}

}  // namespace

ListWork list_work(const Program& program, std::int32_t list, std::int32_t begin,
                   std::int32_t groups) {
  const auto at = std::find_if(program.lists.begin(), program.lists.end(),
                               [&](const xgen_list& l) { return l.list == list; });
  XGEN_CHECK(at != program.lists.end(), "no list ", list, " in ", program.name);
  const std::byte* data = program.weights.data();
  ListWork work;
  work.lane_bytes = at->lane_stride;
  work.shared = at->counts == XGEN_NONE;
  const auto add_pattern = [&](std::size_t pattern, double entries) {
    for (std::int32_t t = 0; t < at->pattern_taps; ++t) {
      std::int32_t offset = 0;
      std::memcpy(&offset,
                  data + at->taps +
                      4 * (pattern * static_cast<std::size_t>(at->pattern_taps) +
                           static_cast<std::size_t>(t)),
                  4);
      work.taps[offset] += entries;
    }
  };
  if (work.shared) {
    work.lanes = at->lanes;
    work.group_lanes = work.lanes * groups;
    work.entries = static_cast<double>(at->lanes) * at->pattern_taps * groups;
    add_pattern(0, static_cast<double>(at->lanes) * groups);
    return work;
  }
  const auto count_of = [&](std::int32_t group) {
    std::uint16_t count = 0;
    std::memcpy(&count, data + at->counts + 2 * group, 2);
    return count;
  };
  const std::int32_t first = begin - at->begin;
  std::size_t e = 0;
  for (std::int32_t g = 0; g < first; ++g) e += count_of(g);
  const std::size_t begin_entry = e;
  std::vector<double> by_pattern(256, 0.0);
  std::vector<std::int32_t> read_by;  // by lane: the last group that reads it
  for (std::int32_t g = first; g < first + groups; ++g) {
    for (const std::size_t end = e + count_of(g); e < end; ++e) {
      std::uint16_t lane = 0;
      std::memcpy(&lane, data + at->entries + 2 * e, 2);
      if (lane >= read_by.size()) read_by.resize(lane + std::size_t{1}, -1);
      // A lane has an entry for each pattern that makes up its taps.
      const std::int32_t last = std::exchange(read_by[lane], g);
      if (last != g) ++work.group_lanes;
      if (last < 0) ++work.lanes;
      ++by_pattern[at->patterns == XGEN_NONE ? 0
                                             : static_cast<std::size_t>(data[at->patterns + e])];
    }
  }
  for (std::size_t p = 0; p < by_pattern.size(); ++p) {
    if (by_pattern[p] > 0) add_pattern(p, by_pattern[p]);
  }
  work.entries = static_cast<double>(e - begin_entry) * at->pattern_taps;
  return work;
}

Work conv_map_work(const std::string& kernel, const xgen_conv& args, const ListWork& lists,
                   const Machine& machine, const Reach& reach) {
  if (is_map(kernel)) return filter_map_work(kernel, args, lists, machine, reach);
  if (is_depthwise(kernel)) return depthwise_work(kernel, args, lists, machine, reach);
  return plane_conv_work(kernel, args, lists, machine, reach);
}

Work filter_conv_work(const std::string& kernel, const xgen_filter_conv& c, const ListWork& lists,
                      const Machine& machine, const Reach& reach) {
  Counts counts(kernel, machine, reach);
  counts.call();
  counts.add("groups", c.groups);
  counts.add("entries", lists.entries * 16.0 / machine.isa.lanes);
  counts.function(c.activation, c.groups * 16.0 / machine.isa.lanes);
  const double weights = lists.entries * entry_bytes(16, lists.shared);
  // Of each input lane one line.
  const double input = lists.lanes * kLine, own = weights + input;
  counts.add("weight_", streamed(weights, 1, at_least(own, reach.run), machine));
  counts.add("", found(input, own, reach.of(c.x), machine));
  return counts.take();
}

std::vector<std::string> conv_work_names(const std::string& kernel) {
  if (is_plane_conv(kernel)) {
    std::vector<std::string> names = call_names();
    for (const char* what : {"tiles_", "entries_"}) {
      for (int width = 1; width <= kWidest; ++width) names.push_back(str(what, width));
    }
    return joined({names,
                   {"crossing_vectors", "stored_vectors", "residual_vectors"},
                   function_names(),
                   border_names(),
                   split_names(),
                   weight_names(),
                   memory_names()});
  }
  if (is_depthwise(kernel))
    return joined({call_names(),
                   {"planes", "columns", "window_rows", "strided_rows", "crossing_vectors",
                    "residual_vectors"},
                   function_names(),
                   border_names(),
                   split_names(),
                   memory_names()});
  if (is_map(kernel))
    return joined({call_names(),
                   {"groups", "passes", "entries_4", "entries_8", "positions", "stored_lanes",
                    "residual_positions"},
                   function_names(),
                   border_names(),
                   split_names(),
                   weight_names(),
                   memory_names()});
  return joined(
      {call_names(), {"groups", "entries"}, function_names(), weight_names(), memory_names()});
}

}  // namespace xgen::latency
