#include "codegen/lower/conv_plan.h"

#include <algorithm>

#include "codegen/kernels/plane_conv.h"
#include "codegen/lower/conv_epilogue.h"

namespace xgen::lower {

namespace {

// What filter_conv_map rounds positions up to: it computes eight side by side, at the end four.
constexpr int kFilterPositions = 4;
// Its products are dearer: each input is broadcast for itself, and results are stored one by one,
// which weighs less the more taps a filter has. Measured by tests/bench/conv_families on 16 lanes,
// where plane_conv keeps two units of multiply-adds busy: 1.4 to 1.65 and 1.6 to 2.1. (A processor
// with one such unit loses less: 1.2 and 1.4.)
double filter_cost(int taps, int vector_lanes) {
  if (vector_lanes < 16) return 1.4;
  return taps > 1 ? 1.5 : 1.75;
}
// Four taps at a time read and shuffle their input four times, one tap at a time once. Measured by
// tests/bench/conv_families: 3 entries for 9 taps take 0.75 of the time, 6 for 9 take 1.1.
constexpr int kQuadCost = 2;

kernels::ConvType type_of(const ConvForm& form) {
  if (!form.integer) return kernels::ConvType::f32;
  return form.real_out ? kernels::ConvType::i8_f32 : kernels::ConvType::i8;
}

// How many filters share a list in plane_conv: what the mask says, one or four for depthwise and
// grouped layers, the target's best for dense ones.
int plane_conv_group(const LowerOptions& options, const ConvForm& form, kernels::ConvType type) {
  int group = type == kernels::ConvType::i8_f32 ? 4
              : form.integer                    ? options.dense_group_i8
                                                : options.dense_group_f32;
  if (form.mask_group > 0) group = form.mask_group;
  if (form.conv.groups > 1) {
    const int per_group = form.shape.c_out / static_cast<int>(form.conv.groups);
    if (form.integer)
      group = 4;
    else
      group = per_group % group == 0 ? group : per_group % 4 == 0 ? 4 : 1;
  }
  const auto served = [&](int g) {
    const auto& all = kernels::plane_conv_variants();
    return std::find(all.begin(), all.end(), kernels::PlaneConvVariant{type, g}) != all.end();
  };
  // Smaller groups than the mask's serve it too, each with the mask's list; larger ones would not.
  while (!served(group) && group > 1) group /= 2;
  if (!served(group)) group = form.integer ? 4 : 1;
  return group;
}

int whole(int count, int unit) { return (count + unit - 1) / unit * unit; }

// Whether vectors over 16 filters compute fewer products than vectors over positions, which on
// small maps are filled with what lies between rows.
bool takes_filters(const LowerOptions& options, int taps, double products_by_position,
                   double products_by_filter, const xgen_conv& args) {
  if (options.conv_family != ConvFamily::fastest)
    return options.conv_family == ConvFamily::filter_conv;
  const int height = args.y.height, width = args.y.width, vector = options.vector_lanes;
  const int computed =
      args.flat != 0 ? whole(height * args.y.pitch, vector) : height * whole(width, vector);
  return filter_cost(taps, vector) * products_by_filter * whole(height * width, kFilterPositions) <
         products_by_position * computed;
}

// Whether a depthwise layer takes four taps at a time: where enough of them lie side by side.
bool takes_quads(const LowerOptions& options, int quads, int taps) {
  if (options.conv_family != ConvFamily::fastest)
    return options.conv_family == ConvFamily::depthwise;
  return kQuadCost * quads <= taps;
}

// What plane_conv pays for a vector of a depthwise 3x3 layer, in input rows of depthwise_f32: it
// loads every tap for itself. From the layers of MobileNetV2 on 16 lanes, where columns took 0.4 to
// 0.7 of the time.
constexpr int kDepthwiseRows = 3;

// Whether depthwise_f32, a column of vectors at a time, computes an fp32 layer whose filters read a
// channel each.
bool takes_columns(const LowerOptions& options, const ConvForm& form, const xgen_conv& args) {
  const ir::Conv& conv = form.conv;
  const bool serves = form.shape.kh == 3 && form.shape.kw == 3 && form.shape.c_in == 1 &&
                      form.shape.c_out == conv.groups && conv.dilations[0] == 1 &&
                      conv.dilations[1] == 1 && conv.strides[0] == conv.strides[1] &&
                      conv.strides[0] <= 2;
  if (!serves || options.conv_family != ConvFamily::fastest)
    return serves && options.conv_family == ConvFamily::depthwise;
  const int height = args.y.height, vector = options.vector_lanes;
  const int columns = whole(args.y.width, vector) / vector;
  const int vectors =
      args.flat != 0 ? whole(height * args.y.pitch, vector) / vector : height * columns;
  return columns * (static_cast<int>(conv.strides[0]) * height + 2) <= kDepthwiseRows * vectors;
}

// Bytes of every tap of a form with or without phases, from what ConvPlan::args.x points to.
std::vector<int> tap_offsets(const ConvForm& form, const xgen_planes& in) {
  const int dy = static_cast<int>(form.conv.dilations[0]),
            dx = static_cast<int>(form.conv.dilations[1]);
  std::vector<int> offsets;
  offsets.reserve(static_cast<std::size_t>(form.shape.taps()));
  for (int ky = 0; ky < form.shape.kh; ++ky) {
    for (int kx = 0; kx < form.shape.kw; ++kx) {
      const int row = ky * dy * in.pitch;
      if (in.phases <= 1) {
        offsets.push_back(4 * (row + kx * dx));
        continue;
      }
      const int column = kx * dx + in.left - static_cast<int>(form.conv.pads[1]);
      offsets.push_back(static_cast<int>(static_cast<std::size_t>(column % in.phases) * in.plane) +
                        4 * (row + column / in.phases));
    }
  }
  return offsets;
}

}  // namespace

ConvPlan plan_conv(const LowerOptions& options, const ConvForm& form, const ConvPlaces& places,
                   const std::function<ListSums(int group)>& lists_of) {
  const ir::Conv& conv = form.conv;
  const xgen_planes& in = places.in;
  const kernels::ConvType type = type_of(form);
  ConvPlan plan;
  plan.group = plane_conv_group(options, form, type);
  plan.kernel = kernels::PlaneConvVariant{type, plan.group}.symbol();
  ListSums lists = lists_of(plan.group);

  xgen_conv& args = plan.args;
  args.y = places.y;
  args.split.data = XGEN_NONE;
  if (places.split) args.split = *places.split;
  const int pad_top = static_cast<int>(conv.pads[0]), pad_left = static_cast<int>(conv.pads[1]);
  const bool plain = in.phases <= 1;
  args.flat = plain && conv.strides[0] == 1 && in.pitch == args.y.pitch;
  args.x_row = 4 * static_cast<std::ptrdiff_t>(conv.strides[0]) * in.pitch;
  args.x = in.data - 4 * static_cast<std::size_t>(pad_top * in.pitch + (plain ? pad_left : 0));
  if (type != kernels::ConvType::i8_f32 && conv.groups == 1) {
    const ListSums by_filter = lists_of(kFilterGroup);
    if (takes_filters(options, form.shape.taps(), lists.taps * plan.group,
                      by_filter.taps * kFilterGroup, args)) {
      lists = by_filter;
      plan.group = kFilterGroup;
      plan.kernel = form.integer ? "filter_conv_map_i8" : "filter_conv_map_f32";
    }
  }
  plan.lane_stride = in.plane * static_cast<std::size_t>(std::max(1, in.phases));
  plan.tap_offsets = tap_offsets(form, in);
  if (type == kernels::ConvType::i8 && !conv.epilogue.residual && lists.channelwise) {
    plan.quads = quads_of(plan.tap_offsets);
    if (takes_quads(options, static_cast<int>(plan.quads.size()), form.shape.taps()))
      plan.kernel = kernels::PlaneConvVariant{kernels::ConvType::i8_depthwise, plan.group}.symbol();
    else
      plan.quads.clear();
  }
  if (type == kernels::ConvType::f32 && lists.depthwise && takes_columns(options, form, args))
    plan.kernel = "depthwise_f32";
  args.x_group = lists.depthwise ? plan.lane_stride : 0;
  args.shared = lists.shared;
  args.groups = lists.groups;
  args.outputs = form.real_out ? form.shape.c_out : (form.shape.c_out + 3) / 4;
  set_activation(conv.epilogue.activation, args);
  args.residual = XGEN_NONE;
  if (places.residual) {
    args.residual = places.residual->data;
    args.residual_plane = places.residual->plane;
    args.residual_row = 4 * static_cast<std::ptrdiff_t>(places.residual->pitch);
  }
  return plan;
}

FilterConvPlan plan_filter_conv(const ConvForm& form, const xgen_planes* in, std::size_t x,
                                const ListSums& lists) {
  FilterConvPlan plan;
  plan.kernel = !form.integer   ? "filter_conv_f32"
                : form.real_out ? "filter_conv_i8_f32"
                                : "filter_conv_i8";
  xgen_filter_conv& args = plan.args;
  if (in == nullptr) {
    args.x = x;
    plan.lane_stride = 4;
    plan.tap_offsets = {0};
  } else {
    const std::int64_t before = form.conv.pads[0] * in->pitch + form.conv.pads[1];
    args.x = in->data - 4 * static_cast<std::size_t>(before);
    plan.lane_stride = in->plane;
    plan.tap_offsets = tap_offsets(form, *in);
  }
  args.shared = lists.shared;
  args.groups = lists.groups;
  args.outputs = form.shape.c_out;
  set_activation(form.conv.epilogue.activation, args);
  return plan;
}

}  // namespace xgen::lower
