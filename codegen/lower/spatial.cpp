#include <algorithm>
#include <limits>

#include "codegen/lower/context.h"
#include "core/reference/integer.h"

namespace xgen::lower {

namespace {

using ir::Node;
using ir::ValueId;

std::string sizes(const xgen_planes& x, const xgen_planes& y) {
  return str(x.planes, " planes of ", x.height, "x", x.width, " -> ", y.planes, " of ", y.height,
             "x", y.width);
}

// Integer results of another scale go through the float path of their family, so the types must
// agree.
bool same_type(Context& context, ValueId a, ValueId b) {
  return context.value(a).type.dtype == context.value(b).type.dtype;
}

bool lower_pool(Context& context, const Node& node, const ir::Pool& pool, bool average,
                bool count_include_pad) {
  const ValueId in = node.inputs[0], out = node.output();
  if (!context.layout(in).spatial || !same_type(context, in, out)) return false;
  const bool integer = context.value(in).type.dtype == ir::DType::u8;
  if (!context.layout(out).spatial) return false;
  xgen_pool args{};
  args.x = context.planes(in);
  args.y = context.define_planes_like(out, in);
  args.kernel_h = static_cast<std::int32_t>(pool.kernel[0]);
  args.kernel_w = static_cast<std::int32_t>(pool.kernel[1]);
  args.stride_h = static_cast<std::int32_t>(pool.strides[0]);
  args.stride_w = static_cast<std::int32_t>(pool.strides[1]);
  args.dilation_h = static_cast<std::int32_t>(pool.dilations[0]);
  args.dilation_w = static_cast<std::int32_t>(pool.dilations[1]);
  args.pad_top = static_cast<std::int32_t>(pool.pads[0]);
  args.pad_left = static_cast<std::int32_t>(pool.pads[1]);
  args.pad_bottom = static_cast<std::int32_t>(pool.pads[2]);
  args.pad_right = static_cast<std::int32_t>(pool.pads[3]);
  args.count_include_pad = count_include_pad;
  if (integer) {
    const ScaleZero x = quant_of(context.value(in)), y = quant_of(context.value(out));
    args.x_scale = x.scale;
    args.y_scale = y.scale;
    args.x_zero = x.zero;
    args.zero = y.zero;
  }
  const std::string kernel = str(average ? "average_pool_" : "max_pool_", integer ? "i8" : "f32");
  context.add({node.name, ir::op_name(node.op), kernel,
               str(sizes(args.x, args.y), ", ", args.kernel_h, "x", args.kernel_w), args});
  return true;
}

bool lower_global_pool(Context& context, const Node& node) {
  const ValueId in = node.inputs[0], out = node.output();
  if (!context.layout(in).spatial || !same_type(context, in, out)) return false;
  const ir::Value& x = context.value(in);
  const bool integer = x.type.dtype == ir::DType::u8;
  xgen_global_pool args{};
  args.x = context.natural_planes(in);
  const Spatial s = spatial_of(x);
  args.y = context.define_flat(out);
  args.channels = s.channels;
  args.scale = 1.0F / static_cast<float>(s.height * s.width);
  if (integer) {
    const ScaleZero qx = quant_of(x), qy = quant_of(context.value(out));
    args.scale = reference::average_scale(qx.scale, qy.scale, s.height * s.width);
    args.x_zero = qx.zero;
    args.zero = qy.zero;
  }
  context.add({node.name, "GlobalAveragePool", integer ? "global_pool_i8" : "global_pool_f32",
               str(s.channels, " channels of ", s.height, "x", s.width), args});
  return true;
}

bool lower_resize(Context& context, const Node& node, const ir::Resize& resize) {
  const ValueId in = node.inputs[0], out = node.output();
  if (!context.layout(in).spatial || !context.layout(out).spatial || !same_type(context, in, out))
    return false;
  const Spatial x = spatial_of(context.value(in)), y = spatial_of(context.value(out));
  if (x.channels != y.channels) return false;
  if (resize.mode != ir::Resize::Mode::nearest && context.value(in).type.dtype != ir::DType::f32)
    return false;
  xgen_resize args{};
  args.x = context.planes(in);
  args.y = context.define_planes_like(out, in);
  args.mode = resize.mode == ir::Resize::Mode::nearest ? 0 : 1;
  args.coordinates = static_cast<std::int32_t>(resize.coordinates);
  args.nearest = static_cast<std::int32_t>(resize.nearest);
  args.scale_h = static_cast<float>(y.height) / static_cast<float>(x.height);
  args.scale_w = static_cast<float>(y.width) / static_cast<float>(x.width);
  const ir::Constant* scales = context.graph().constant(node.input(2));
  if (scales != nullptr && scales->size() == 4) {
    args.scale_h = scales->as<float>()[2];
    args.scale_w = scales->as<float>()[3];
  }
  context.add({node.name, "Resize", "resize_f32", sizes(args.x, args.y), args});
  return true;
}

// Operands which were not written in place are copied to their slice, with another scale if need
// be.
bool lower_concat(Context& context, const Node& node, const ir::Concat& concat) {
  const ValueId out = node.output();
  if (concat.axis != 1 || !context.layout(out).spatial) return false;
  for (const ValueId in : node.inputs) {
    if (!context.layout(in).spatial || !same_type(context, in, out)) return false;
  }
  const bool integer = context.value(out).type.dtype == ir::DType::u8;
  const xgen_planes y = context.define_planes(out);
  ChannelMap map;
  int lane = 0;
  for (const ValueId in : node.inputs) {
    const xgen_planes x = context.planes(in);
    const std::size_t slice = y.data + static_cast<std::size_t>(lane) * y.plane;
    if (x.data != slice) {
      xgen_copy args{};
      args.x = x;
      args.y = y;
      args.y.data = slice;
      args.y.planes = x.planes;
      args.row_step = args.column_step = 1;
      if (integer && context.value(in).type.quant != context.value(out).type.quant) {
        const ScaleZero qx = quant_of(context.value(in)), qy = quant_of(context.value(out));
        args.requantize = 1;
        args.scale = reference::rescale_factor(qx.scale, qy.scale);
        args.x_zero = qx.zero;
        args.zero = qy.zero;
      }
      context.add({str(node.name, " of ", context.value(in).name), "Concat", "copy_planes",
                   sizes(args.x, args.y), args});
    }
    for (const std::int32_t at : context.channels(in)) map.push_back(at + 4 * lane);
    lane += x.planes;
  }
  context.alias_planes(out, y, std::move(map));
  return true;
}

// Slices of rows, columns and whole lanes of channels.
bool lower_slice(Context& context, const Node& node) {
  const ValueId in = node.inputs[0], out = node.output();
  if (!context.layout(in).spatial || !context.layout(out).spatial) return false;
  const ir::Constant *starts = context.graph().constant(node.input(1)),
                     *axes = context.graph().constant(node.input(3)),
                     *steps = context.graph().constant(node.input(4));
  if (starts == nullptr || (node.input(3) != ir::kNoValue && axes == nullptr) ||
      (node.input(4) != ir::kNoValue && steps == nullptr))
    return false;
  const auto start = starts->as_integers();
  std::int64_t first[4] = {0, 0, 0, 0}, step[4] = {1, 1, 1, 1};
  const ir::Extents e = ir::extents(*context.value(in).type.shape);
  for (std::size_t i = 0; i < start.size(); ++i) {
    std::int64_t axis = axes != nullptr ? axes->as_integers()[i] : static_cast<std::int64_t>(i);
    if (axis < 0) axis += 4;
    const auto d = static_cast<std::size_t>(axis);
    step[d] = steps != nullptr ? steps->as_integers()[i] : 1;
    if (step[d] < 1) return false;
    first[d] = std::clamp<std::int64_t>(start[i] < 0 ? start[i] + e[d] : start[i], 0, e[d]);
  }
  if (first[0] != 0 || step[0] != 1 || step[1] != 1) return false;
  const Spatial s = spatial_of(context.value(out));
  const ChannelMap& all = context.channels(in);
  ChannelMap map(all.begin() + first[1], all.begin() + first[1] + s.channels);
  // Lanes are kept whole: the first channel must open one.
  const int lane = map[0] / 4;
  if (map[0] % 4 != 0) return false;
  for (std::int32_t& at : map) at -= 4 * lane;
  const int lanes = *std::max_element(map.begin(), map.end()) / 4 + 1;
  xgen_copy args{};
  args.x = context.planes(in);
  args.x.data += static_cast<std::size_t>(lane) * args.x.plane;
  args.x.planes = lanes;
  args.y = map == all ? context.define_planes_like(out, in) : context.define_planes(out);
  if (args.y.planes != lanes || context.channels(out) != map) return false;
  args.row = static_cast<std::int32_t>(first[2]);
  args.row_step = static_cast<std::int32_t>(step[2]);
  args.column = static_cast<std::int32_t>(first[3]);
  args.column_step = static_cast<std::int32_t>(step[3]);
  context.add({node.name, "Slice", "copy_planes", sizes(args.x, args.y), args});
  return true;
}

// Zero channels before and behind, zero rows and columns around: planes of zeros and a wider copy.
bool lower_pad(Context& context, const Node& node) {
  const ValueId in = node.inputs[0], out = node.output();
  if (!context.layout(in).spatial || !context.layout(out).spatial) return false;
  const ir::Constant *pads = context.graph().constant(node.input(1)),
                     *value = context.graph().constant(node.input(2));
  if (pads == nullptr ||
      (value != nullptr && value->dtype == ir::DType::f32 && value->as<float>()[0] != 0))
    return false;
  const auto p = pads->as_integers();
  if (p.size() != 8 || p[0] != 0 || p[4] != 0 || p[2] != 0 || p[3] != 0 || p[6] != 0 || p[7] != 0 ||
      p[1] < 0 || p[5] < 0)
    return false;
  const int per_lane = lane_channels(context.value(in));
  ChannelMap natural;
  for (int c = 0; c < spatial_of(context.value(in)).channels; ++c)
    natural.push_back(c / per_lane * 4 + c % per_lane);
  if (p[1] % per_lane != 0 || context.channels(in) != natural) return false;
  // A last lane that is filled in part would take its dead bytes for channels.
  if (per_lane == 4 && (spatial_of(context.value(in)).channels % 4 != 0 ||
                        context.value(in).type.quant != context.value(out).type.quant))
    return false;
  xgen_copy args{};
  args.x = context.planes(in);
  args.y = context.define_planes(out);
  args.first = static_cast<std::int32_t>(p[1]) / per_lane;
  args.row_step = args.column_step = 1;
  context.add({node.name, "Pad", "copy_planes", sizes(args.x, args.y), args});
  return true;
}

}  // namespace

bool lower_spatial(Context& context, const Node& node) {
  if (const auto* pool = node.as<ir::MaxPool>())
    return lower_pool(context, node, *pool, false, false);
  if (const auto* pool = node.as<ir::AveragePool>())
    return lower_pool(context, node, *pool, true, pool->count_include_pad);
  if (node.as<ir::GlobalAveragePool>() != nullptr) return lower_global_pool(context, node);
  if (const auto* resize = node.as<ir::Resize>()) return lower_resize(context, node, *resize);
  if (const auto* concat = node.as<ir::Concat>()) return lower_concat(context, node, *concat);
  if (node.as<ir::Slice>() != nullptr) return lower_slice(context, node);
  if (node.as<ir::Pad>() != nullptr) return lower_pad(context, node);
  return false;
}

}  // namespace xgen::lower
