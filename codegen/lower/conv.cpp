#include <algorithm>

#include "codegen/kernels/plane_conv.h"
#include "codegen/lower/conv_epilogue.h"
#include "codegen/lower/tap_quads.h"
#include "core/reference/integer.h"

namespace xgen::lower {

namespace {

// Of filter_conv_map: filters a vector or two, positions side by side.
constexpr int kFilterGroup = 16, kFilterPositions = 4;
// Its products are dearer: each input is broadcast for itself, and results are stored one by one,
// which weighs less the more taps a filter has. Measured by tests/bench/conv_families on 16 lanes.
double filter_cost(int taps, int vector_lanes) {
  return taps > 1 && vector_lanes >= 16 ? 1.2 : 1.4;
}
// Four taps at a time read and shuffle their input four times, one tap at a time once. Measured by
// tests/bench/conv_families: 3 entries for 9 taps take 0.75 of the time, 6 for 9 take 1.1.
constexpr int kQuadCost = 2;

// How many filters share a list in plane_conv: what the mask says, one or four for depthwise and
// grouped layers, the target's best for dense ones.
int plane_conv_group(const Context& context, const ConvData& data, kernels::ConvType type) {
  int group = type == kernels::ConvType::i8_f32 ? 4
              : data.integer()                  ? context.options().dense_group_i8
                                                : context.options().dense_group_f32;
  if (data.sparsity() != nullptr) group = data.sparsity()->group_out;
  if (data.conv().groups > 1) {
    const int per_group = data.shape().c_out / static_cast<int>(data.conv().groups);
    if (data.integer())
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
  if (!served(group)) group = data.integer() ? 4 : 1;
  return group;
}

// Products of one filter with one position, over all filters and positions that a kernel computes.
std::int64_t computed_products(const ConvLists& lists, int positions) {
  std::int64_t entries = 0;
  for (int g = 0; g < lists.groups; ++g) {
    const std::size_t list = lists.shared ? 0 : static_cast<std::size_t>(g);
    for (const int pattern : lists.patterns[list])
      entries += Pattern{lists.tap_masks[static_cast<std::size_t>(pattern)]}.size();
  }
  return entries * lists.group * positions;
}

int whole(int count, int unit) { return (count + unit - 1) / unit * unit; }

// Whether vectors over 16 filters compute less than vectors over positions, which on small maps
// are filled with what lies between rows.
bool takes_filters(const LowerOptions& options, int taps, const ConvLists& by_position,
                   const ConvLists& by_filter, const xgen_conv& args) {
  if (options.conv_family != ConvFamily::fastest)
    return options.conv_family == ConvFamily::filter_conv;
  const int height = args.y.height, width = args.y.width, vector = options.vector_lanes;
  const int computed =
      args.flat != 0 ? whole(height * args.y.pitch, vector) : height * whole(width, vector);
  return filter_cost(taps, vector) * static_cast<double>(computed_products(
                                         by_filter, whole(height * width, kFilterPositions))) <
         static_cast<double>(computed_products(by_position, computed));
}

// Whether a depthwise layer takes four taps at a time: where enough of them lie side by side.
bool takes_quads(const LowerOptions& options, int quads, int taps) {
  if (options.conv_family != ConvFamily::fastest)
    return options.conv_family == ConvFamily::depthwise;
  return kQuadCost * quads <= taps;
}

}  // namespace

void lower_conv(Context& context, const ir::Node& node) {
  if (!context.layout(node.output()).spatial) return lower_filter_conv(context, node);
  const ConvData data(context, node);
  const ir::Conv& conv = data.conv();
  const ir::ValueId x = node.inputs[0], out = node.output();
  const ir::Value& y_value = context.value(out);
  const bool real_out = y_value.type.dtype == ir::DType::f32;
  XGEN_CHECK(context.layout(x).spatial, node.name, ": a spatial result of a single position");

  const int s = static_cast<int>(conv.strides[1]);
  const xgen_planes in = s == 1 ? context.planes(x) : context.split(x, s);
  const int in_lanes = in.planes;
  const auto lanes = channels_of_lanes(context.channels(x), in_lanes);

  const kernels::ConvType type = !data.integer() ? kernels::ConvType::f32
                                 : real_out      ? kernels::ConvType::i8_f32
                                                 : kernels::ConvType::i8;
  int group = plane_conv_group(context, data, type);
  std::string kernel = kernels::PlaneConvVariant{type, group}.symbol();
  ConvLists lists = make_lists(data, lanes, group);

  xgen_conv args{};
  args.y = context.define_planes(out);
  args.split.data = XGEN_NONE;
  if (const auto split = context.define_split(out)) args.split = *split;
  const int pad_top = static_cast<int>(conv.pads[0]), pad_left = static_cast<int>(conv.pads[1]);
  const int dy = static_cast<int>(conv.dilations[0]), dx = static_cast<int>(conv.dilations[1]);
  args.flat = s == 1 && conv.strides[0] == 1 && in.pitch == args.y.pitch;
  args.x_row = 4 * static_cast<std::ptrdiff_t>(conv.strides[0]) * in.pitch;
  if (s == 1)
    args.x = in.data - 4 * static_cast<std::size_t>(pad_top * in.pitch + pad_left);
  else
    args.x = in.data - 4 * static_cast<std::size_t>(pad_top * in.pitch);
  if (type != kernels::ConvType::i8_f32 && conv.groups == 1) {
    ConvLists by_filter = make_lists(data, lanes, kFilterGroup);
    if (takes_filters(context.options(), data.taps(), lists, by_filter, args)) {
      lists = std::move(by_filter);
      group = kFilterGroup;
      kernel = data.integer() ? "filter_conv_map_i8" : "filter_conv_map_f32";
    }
  }
  const std::size_t lane_stride = in.plane * static_cast<std::size_t>(s);
  args.x_group = lists.depthwise ? lane_stride : 0;
  const auto tap_offset = [&](int tap) {
    const int ky = tap / data.shape().kw, kx = tap % data.shape().kw;
    if (s == 1) return 4 * (ky * dy * in.pitch + kx * dx);
    const int column = kx * dx + in.left - pad_left;
    return static_cast<int>(static_cast<std::size_t>(column % s) * in.plane) +
           4 * (ky * dy * in.pitch + column / s);
  };
  std::vector<TapQuad> quads;
  if (type == kernels::ConvType::i8 && !conv.epilogue.residual &&
      is_channelwise(data, lists, lanes)) {
    quads = quads_of(data.taps(), tap_offset);
    if (takes_quads(context.options(), static_cast<int>(quads.size()), data.taps()))
      kernel = kernels::PlaneConvVariant{kernels::ConvType::i8_depthwise, group}.symbol();
    else
      quads.clear();
  }
  const StoredLists stored = quads.empty()
                                 ? store_lists(context, data, lists, lane_stride, tap_offset)
                                 : store_quads(context, quads);
  args.list = stored.list;
  args.begin = stored.begin;
  args.shared = lists.shared;
  args.groups = lists.groups;
  args.outputs = real_out ? data.shape().c_out : (data.shape().c_out + 3) / 4;
  args.weights = quads.empty() ? store_weights(context, data, lists, lanes)
                               : store_quad_weights(context, data, quads, lists.groups);
  args.bias = store_bias(context, node, data, group * lists.groups);
  args.residual = XGEN_NONE;

  const ir::Epilogue& epilogue = conv.epilogue;
  const Clip last = clip_of(epilogue.activation), before = clip_of(epilogue.before_add);
  set_activation(epilogue.activation, args);
  args.low0 = epilogue.residual ? before.low : last.low;
  args.high0 = epilogue.residual ? before.high : last.high;
  args.low = last.low;
  args.high = last.high;
  if (epilogue.residual) {
    const xgen_planes& r = context.planes(node.inputs.back());
    args.residual = r.data;
    args.residual_plane = r.plane;
    args.residual_row = 4 * static_cast<std::ptrdiff_t>(r.pitch);
    XGEN_CHECK(!args.flat || r.pitch == args.y.pitch, node.name, ": residual of another pitch");
  }
  if (data.integer()) {
    std::optional<float> scale;
    if (!real_out) {
      const ScaleZero y = quant_of(y_value);
      args.zero = y.zero;
      ScaleZero own = y;
      if (epilogue.residual) {
        XGEN_CHECK(epilogue.before_residual, node.name,
                   ": an int8 residual without the scale before it");
        own = {epilogue.before_residual->scale[0], epilogue.before_residual->zero_point[0]};
        const ScaleZero r = quant_of(context.value(node.inputs.back()));
        args.add0 = reference::fixed_point_scale(own.scale, y.scale);
        args.add1 = reference::fixed_point_scale(r.scale, y.scale);
        args.residual_zero = r.zero;
        const Clip clip = integer_clip(epilogue.activation, y);
        args.low = clip.low;
        args.high = clip.high;
      }
      const Clip clip =
          integer_clip(epilogue.residual ? epilogue.before_add : epilogue.activation, own);
      args.low0 = clip.low;
      args.high0 = clip.high;
      check_integer_activation(node, epilogue.activation);
      scale = own.scale;
    }
    args.scale = store_scales(context, node, data, group * lists.groups, scale);
  }
  Step step{node.name, "Conv", kernel, describe(data, lists, y_value), args};
  step.scheme = lists.sparse ? name_of(data.sparsity()->scheme) : "dense";
  const std::int64_t positions = static_cast<std::int64_t>(args.y.height) * args.y.width;
  step.macs = lists.weights * positions;
  step.dense_macs =
      static_cast<std::int64_t>(data.shape().c_out) * data.shape().c_in * data.taps() * positions;
  context.add(step);
}

}  // namespace xgen::lower
