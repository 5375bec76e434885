#include "codegen/lower/conv_epilogue.h"
#include "codegen/lower/conv_plan.h"
#include "core/reference/integer.h"

namespace xgen::lower {

void lower_conv(Context& context, const ir::Node& node) {
  if (!context.layout(node.output()).spatial) return lower_filter_conv(context, node);
  const ConvData data(context, node);
  const ir::Conv& conv = data.conv();
  const ir::ValueId x = node.inputs[0], out = node.output();
  const ir::Value& y_value = context.value(out);
  const bool real_out = data.form().real_out;
  XGEN_CHECK(context.layout(x).spatial, node.name, ": a spatial result of a single position");

  ConvPlaces places;
  const int phases = reading_of(conv, false).phases;
  places.in = phases == 1 ? context.planes(x) : context.split(x, phases);
  places.y = context.define_planes(out);
  places.split = context.define_split(out);
  if (conv.epilogue.residual) places.residual = context.planes(node.inputs.back());
  const auto lanes = channels_of_lanes(context.channels(x), places.in.planes);
  std::map<int, ConvLists> made;
  const ConvPlan plan = plan_conv(context.options(), data.form(), places, [&](int group) {
    const ConvLists& lists = made[group] = make_lists(data, lanes, group);
    return ListSums{lists.groups, taps_in_all(data, lists), lists.shared, lists.depthwise,
                    is_channelwise(data, lists, lanes)};
  });
  const ConvLists& lists = made.at(plan.group);
  const std::vector<TapQuad>& quads = plan.quads;
  xgen_conv args = plan.args;
  XGEN_CHECK(args.flat == 0 || !places.residual || places.residual->pitch == args.y.pitch,
             node.name, ": residual of another pitch");
  const StoredLists stored =
      quads.empty() ? store_lists(context, data, lists, plan.lane_stride, plan.tap_offsets)
                    : store_quads(context, quads);
  args.list = stored.list;
  args.begin = stored.begin;
  args.weights = quads.empty() ? store_weights(context, data, lists, lanes)
                               : store_quad_weights(context, data, quads, lists.groups);
  args.bias = store_bias(context, node, data, plan.group * lists.groups);

  const ir::Epilogue& epilogue = conv.epilogue;
  const Clip last = clip_of(epilogue.activation), before = clip_of(epilogue.before_add);
  args.low0 = epilogue.residual ? before.low : last.low;
  args.high0 = epilogue.residual ? before.high : last.high;
  args.low = last.low;
  args.high = last.high;
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
    args.scale = store_scales(context, node, data, plan.group * lists.groups, scale);
  }
  Step step{node.name, "Conv", plan.kernel, describe(data, lists, y_value), args};
  step.scheme = lists.sparse ? name_of(data.sparsity()->scheme) : "dense";
  const std::int64_t positions = static_cast<std::int64_t>(args.y.height) * args.y.width;
  step.macs = lists.weights * positions;
  step.dense_macs =
      static_cast<std::int64_t>(data.shape().c_out) * data.shape().c_in * data.taps() * positions;
  context.add(step);
}

}  // namespace xgen::lower
