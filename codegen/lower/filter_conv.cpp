#include <algorithm>

#include "codegen/lower/conv_epilogue.h"
#include "codegen/lower/conv_plan.h"

namespace xgen::lower {

void lower_filter_conv(Context& context, const ir::Node& node) {
  const ConvData data(context, node);
  const ir::ValueId x = node.inputs[0], out = node.output();
  const bool real_out = data.form().real_out;
  std::optional<xgen_planes> in;
  ChannelMap map;
  std::size_t flat = 0;
  if (context.layout(x).spatial) {
    in = context.planes(x);
    map = context.channels(x);
  } else {
    if (data.taps() > 1)
      throw UserError(str("node \"", node.name, "\" (Conv): a kernel of ", data.shape().kh, "x",
                          data.shape().kw, " on one position; pass crop_taps makes it 1x1"));
    const int per_lane = lane_channels(context.value(x));
    for (int c = 0; c < data.c_in(); ++c) map.push_back(c / per_lane * 4 + c % per_lane);
    flat = context.flat(x);
  }
  int lane_count = 0;
  for (const std::int32_t at : map) lane_count = std::max(lane_count, at / 4 + 1);
  const auto lanes = channels_of_lanes(map, lane_count);
  const ConvLists lists = make_lists(data, lanes, kFilterGroup);
  XGEN_CHECK(!lists.depthwise || lists.groups == 1, node.name,
             ": depthwise at one position is not a filter_conv");

  const FilterConvPlan plan = plan_filter_conv(
      data.form(), in ? &*in : nullptr, flat,
      {lists.groups, taps_in_all(data, lists), lists.shared, lists.depthwise, false});
  xgen_filter_conv args = plan.args;
  args.y = context.define_flat(out);
  const StoredLists stored = store_lists(context, data, lists, plan.lane_stride, plan.tap_offsets);
  args.list = stored.list;
  args.begin = stored.begin;
  args.weights = store_weights(context, data, lists, lanes);
  args.bias = store_bias(context, node, data, kFilterGroup * lists.groups);
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
    args.scale = store_scales(context, node, data, kFilterGroup * lists.groups, scale);
  }
  args.low = clip.low;
  args.high = clip.high;
  Step step{node.name, "Conv", plan.kernel, describe(data, lists, context.value(out)), args};
  step.scheme = lists.sparse ? name_of(data.sparsity()->scheme) : "dense";
  step.macs = lists.weights;
  step.dense_macs = static_cast<std::int64_t>(data.shape().c_out) * data.shape().c_in * data.taps();
  context.add(step);
}

}  // namespace xgen::lower
