#include "codegen/lower/conv_epilogue.h"

namespace xgen::lower {

void lower_filter_conv(Context& context, const ir::Node& node) {
  const ConvData data(context, node);
  const ir::ValueId x = node.inputs[0], out = node.output();
  const bool spatial = context.layout(x).spatial;
  const bool real_out = context.value(out).type.dtype == ir::DType::f32;
  ChannelMap map;
  std::size_t lane_stride = 4;
  std::size_t origin = 0;
  int pitch = 1;
  if (spatial) {
    const xgen_planes& planes = context.planes(x);
    map = context.channels(x);
    lane_stride = planes.plane;
    pitch = planes.pitch;
    origin = planes.data -
             4 * static_cast<std::size_t>(data.conv().pads[0] * pitch + data.conv().pads[1]);
  } else {
    if (data.taps() > 1)
      throw UserError(str("node \"", node.name, "\" (Conv): a kernel of ", data.shape().kh, "x",
                          data.shape().kw, " on one position; pass crop_taps makes it 1x1"));
    const int per_lane = lane_channels(context.value(x));
    for (int c = 0; c < data.c_in(); ++c) map.push_back(c / per_lane * 4 + c % per_lane);
    origin = context.flat(x);
  }
  int lane_count = 0;
  for (const std::int32_t at : map) lane_count = std::max(lane_count, at / 4 + 1);
  const auto lanes = channels_of_lanes(map, lane_count);
  const ConvLists lists = make_lists(data, lanes, 16);
  XGEN_CHECK(!lists.depthwise || lists.groups == 1, node.name,
             ": depthwise at one position is not a filter_conv");

  xgen_filter_conv args{};
  args.x = origin;
  args.y = context.define_flat(out);
  const StoredLists stored = store_lists(context, data, lists, lane_stride, [&](int tap) {
    const int ky = tap / data.shape().kw, kx = tap % data.shape().kw;
    return 4 * (ky * static_cast<int>(data.conv().dilations[0]) * pitch +
                kx * static_cast<int>(data.conv().dilations[1]));
  });
  args.list = stored.list;
  args.begin = stored.begin;
  args.shared = lists.shared;
  args.groups = lists.groups;
  args.outputs = data.shape().c_out;
  args.weights = store_weights(context, data, lists, lanes);
  args.bias = store_bias(context, node, data, 16 * lists.groups);
  const ir::Epilogue& epilogue = data.conv().epilogue;
  XGEN_CHECK(!epilogue.residual, node.name, ": a residual at one position");
  Clip clip = clip_of(epilogue.activation);
  if (data.integer()) {
    std::optional<float> scale;
    if (!real_out) {
      const ScaleZero y = quant_of(context.value(out));
      scale = y.scale;
      clip = integer_clip(epilogue.activation, y);
      args.zero = y.zero;
      check_integer_activation(node, epilogue.activation);
    }
    args.scale = store_scales(context, node, data, 16 * lists.groups, scale);
  }
  set_activation(epilogue.activation, args);
  args.low = clip.low;
  args.high = clip.high;
  Step step{
      node.name, "Conv",
      data.integer() ? (real_out ? "filter_conv_i8_f32" : "filter_conv_i8") : "filter_conv_f32",
      describe(data, lists, context.value(out)), args};
  step.scheme = lists.sparse ? name_of(data.sparsity()->scheme) : "dense";
  step.macs = lists.weights;
  step.dense_macs = static_cast<std::int64_t>(data.shape().c_out) * data.shape().c_in * data.taps();
  context.add(step);
}

}  // namespace xgen::lower
