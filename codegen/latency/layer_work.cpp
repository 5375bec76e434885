#include "codegen/latency/layer_work.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numbers>
#include <vector>

#include "codegen/latency/conv_work.h"
#include "codegen/latency/single_layer.h"
#include "codegen/lower/conv_plan.h"
#include "codegen/passes/crop_taps.h"
#include "codegen/passes/hoist_stride.h"
#include "core/error.h"

namespace xgen::latency {

namespace {

using lower::ConvForm;
using lower::ListSums;

// The layer as lowering sees it: rows and columns of the kernel that meet padding alone are gone,
// and positions of the image that a stride leaves out.
struct Layer {
  ConvForm form;
  lower::Spatial x, y;
  int lane_channels = 1;  // of the type it runs in
  MaskForm mask;          // where form.mask_group > 0
  int mask_channels = 1;  // of a block of the mask
};

Layer layer_of(const LayerShape& shape, const LayerVariant& variant) {
  Layer layer;
  const auto [height, width] = result_of(shape);
  layer.x = {shape.c_in, shape.height, shape.width};
  layer.y = {shape.c_out, height, width};
  layer.lane_channels = shape.int8 ? 4 : 1;
  ConvForm& form = layer.form;
  form.conv = conv_of(shape);
  form.shape = {shape.c_out, shape.c_in / shape.groups, shape.kernel_h, shape.kernel_w};
  form.integer = shape.int8;
  form.real_out = !shape.int8;
  const auto crop = passes::crop_of(form.conv, {shape.kernel_h, shape.kernel_w},
                                    {shape.height, shape.width}, {height, width});
  if (lower::is_skipped(variant.scheme, shape.groups)) {
    layer.mask = mask_form(shape, variant);
    layer.mask_channels = variant.lane_channels;
    form.mask_group = variant.group_out;
    if (crop) {
      const auto patterns = passes::cropped(layer.mask.patterns, shape.kernel_w, *crop);
      if (patterns)
        layer.mask.patterns = *patterns;
      else
        form.mask_group = 0;
    }
  }
  if (crop) {
    form.conv = crop->conv;
    form.shape.kh = static_cast<int>(crop->rows.size());
    form.shape.kw = static_cast<int>(crop->columns.size());
  }
  if (height * width > 1 && passes::reads_by_stride(form.conv, form.shape.kh, form.shape.kw)) {
    form.conv.strides = {1, 1};
    layer.x = {shape.c_in, height, width};
  }
  return layer;
}

int lanes_of(int channels, int lane_channels) {
  return (channels + lane_channels - 1) / lane_channels;
}

// What the lists of a layer come to, besides their sums.
struct Lists {
  ListSums sums;
  double lanes = 0, group_lanes = 0;  // as in ListWork
  std::vector<double> taps;           // entries by the tap that they read.
};

// Groups of filters over convolution groups, each of which reads channels of its own.
Lists grouped_lists(const Layer& layer, int group) {
  const ConvForm& form = layer.form;
  const int filters = form.shape.c_out, channels = form.shape.c_in,
            per_group = filters / static_cast<int>(form.conv.groups),
            lanes = lanes_of(form.c_in(), layer.lane_channels);
  Lists lists;
  ListSums& sums = lists.sums;
  sums.groups = lanes_of(filters, group);
  bool full = true, one_each = true;
  for (int n = 0; n < sums.groups; ++n) {
    const int last_filter = std::min((n + 1) * group, filters) - 1;
    const int first = n * group / per_group * channels / layer.lane_channels,
              last = ((last_filter / per_group + 1) * channels - 1) / layer.lane_channels;
    lists.group_lanes += last - first + 1;
    lists.lanes = std::max<double>(lists.lanes, last + 1);
    full = full && first == 0 && last == lanes - 1;
    one_each = one_each && first == n && last == n;
  }
  sums.shared = full || one_each;
  sums.depthwise = !full && one_each;
  sums.channelwise = sums.depthwise && channels == 1 && filters == form.c_in();
  if (sums.depthwise) lists.lanes = 1;
  lists.taps.assign(static_cast<std::size_t>(form.shape.taps()), lists.group_lanes);
  sums.taps = lists.group_lanes * form.shape.taps();
  return lists;
}

// How many runs of `size` things, out of `count` in a row, touch so many blocks of `block` things.
std::map<int, int> runs_by_blocks(int count, int size, int block) {
  const int runs = lanes_of(count, size);
  if (block % size == 0) return {{1, runs}};
  std::map<int, int> result;
  for (int run = 0; run < runs; ++run)
    ++result[(std::min((run + 1) * size, count) - 1) / block - run * size / block + 1];
  return result;
}

// The chance that no kept one of `drawn` out of `lanes` blocks, `live` of which are kept, keeps
// what a share of the patterns has.
double chance_of_none(int drawn, int lanes, int live, double share) {
  if (drawn == 0) return 1;
  const double kept = static_cast<double>(live) / lanes;
  double chance = 0;
  if (live > 0)
    chance += kept * (1 - share) * chance_of_none(drawn - 1, lanes - 1, live - 1, share);
  if (live < lanes) chance += (1 - kept) * chance_of_none(drawn - 1, lanes - 1, live, share);
  return chance;
}

// Lists of a dense layer, or what those of a mask drawn at random come to on average.
Lists expected_lists(const Layer& layer, int group) {
  const ConvForm& form = layer.form;
  if (form.conv.groups > 1) return grouped_lists(layer, group);
  const auto taps = static_cast<std::size_t>(form.shape.taps());
  const int lanes = lanes_of(form.shape.c_in, layer.lane_channels);
  Lists lists;
  ListSums& sums = lists.sums;
  sums.groups = lanes_of(form.shape.c_out, group);
  const double all = static_cast<double>(lanes) * sums.groups;
  lists.lanes = lanes;
  lists.group_lanes = all;
  lists.taps.assign(taps, all);
  sums.taps = all * static_cast<double>(taps);
  if (form.mask_group == 0) return lists;

  const MaskForm& mask = layer.mask;
  const auto by_groups = runs_by_blocks(form.shape.c_out, group, form.mask_group);
  const auto by_lanes = runs_by_blocks(form.shape.c_in, layer.lane_channels, layer.mask_channels);
  // Entries that keep what a share of the patterns has.
  const auto kept = [&](double share) {
    double sum = 0;
    for (const auto& [blocks, runs] : by_lanes) {
      const double none = chance_of_none(blocks, mask.lanes, mask.live, share);
      for (const auto& [joined, groups] : by_groups)
        sum += static_cast<double>(runs) * groups * (1 - std::pow(none, joined));
    }
    return sum;
  };
  double sum = 0;
  for (std::size_t t = 0; t < taps; ++t) {
    // Patterns have 64 bits; of larger kernels every tap is kept.
    const auto with =
        std::count_if(mask.patterns.patterns.begin(), mask.patterns.patterns.end(),
                      [&](const Pattern& p) { return taps > 64 || p.keeps(static_cast<int>(t)); });
    lists.taps[t] = kept(static_cast<double>(with) / mask.patterns.size());
    sum += lists.taps[t];
  }
  // Rather than not, chance has left nothing out: each entry is missing for itself.
  if (sums.taps - sum < std::numbers::ln2) {
    lists.taps.assign(taps, all);
    return lists;
  }
  sums.taps = sum;
  sums.shared = false;
  lists.group_lanes = kept(1);
  lists.lanes = 0;
  for (const auto& [blocks, runs] : by_lanes)
    lists.lanes += runs * (1 - std::pow(chance_of_none(blocks, mask.lanes, mask.live, 1),
                                        lanes_of(form.shape.c_out, form.mask_group)));
  return lists;
}

ListWork work_of_lists(const Lists& lists, std::size_t lane_stride,
                       const std::vector<int>& tap_offsets) {
  ListWork work;
  work.entries = lists.sums.taps;
  work.group_lanes = lists.group_lanes;
  work.lanes = lists.lanes;
  work.lane_bytes = static_cast<double>(lane_stride);
  work.shared = lists.sums.shared;
  for (std::size_t t = 0; t < lists.taps.size(); ++t) {
    if (lists.taps[t] > 0) work.taps[tap_offsets[t]] += lists.taps[t];
  }
  return work;
}

ListWork work_of_quads(const std::vector<lower::TapQuad>& quads, int groups) {
  ListWork work;
  work.entries = static_cast<double>(quads.size()) * groups;
  work.group_lanes = groups;
  work.lanes = 1;
  for (const lower::TapQuad& quad : quads) work.taps[quad.offset] += groups;
  return work;
}

}  // namespace

Work layer_work(const LayerShape& shape, const LayerVariant& variant,
                const lower::LowerOptions& options, const Machine& machine) {
  const Layer layer = layer_of(shape, variant);
  const bool one_position = layer.y.height * layer.y.width == 1,
             planes = layer.x.height * layer.x.width > 1;
  XGEN_CHECK(one_position || planes, to_string(shape), ": a spatial result of a single position");
  const lower::ConvReading reading = lower::reading_of(layer.form.conv, one_position);
  int x_pitch = lower::pitch_of(layer.x.width, reading.border), y_pitch = layer.y.width;
  if (reading.same_positions) x_pitch = y_pitch = std::max(x_pitch, y_pitch);
  xgen_planes in = lower::planes_of(layer.x, lanes_of(layer.x.channels, layer.lane_channels),
                                    reading.border, x_pitch, reading.phases);
  in.data += std::size_t{1} << 40;  // anywhere in an arena

  if (one_position) {
    const Lists lists = expected_lists(layer, lower::kFilterGroup);
    XGEN_CHECK(!lists.sums.depthwise || lists.sums.groups == 1, to_string(shape),
               ": depthwise at one position is not a filter_conv");
    const lower::FilterConvPlan plan =
        lower::plan_filter_conv(layer.form, planes ? &in : nullptr, in.data, lists.sums);
    return filter_conv_work(plan.kernel, plan.args,
                            work_of_lists(lists, plan.lane_stride, plan.tap_offsets), machine, {});
  }
  const lower::ConvPlaces places = {
      in,
      lower::planes_of(layer.y, lanes_of(layer.y.channels, layer.lane_channels), {}, y_pitch, 1),
      {},
      {}};
  std::map<int, Lists> made;
  const lower::ConvPlan plan = lower::plan_conv(options, layer.form, places, [&](int group) {
    return (made[group] = expected_lists(layer, group)).sums;
  });
  const ListWork work = plan.quads.empty()
                            ? work_of_lists(made.at(plan.group), plan.lane_stride, plan.tap_offsets)
                            : work_of_quads(plan.quads, plan.args.groups);
  return conv_map_work(plan.kernel, plan.args, work, machine, {});
}

}  // namespace xgen::latency
