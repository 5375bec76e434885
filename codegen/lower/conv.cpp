#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "codegen/lower/context.h"
#include "core/reference/integer.h"

namespace xgen::lower {

namespace {

using ir::Conv;
using ir::ValueId;

// One convolution, seen as: for each group of filters, entries of (input lane, taps), and weights
// for them.
struct ConvLists {
  int group = 1;  // filters a group
  int groups = 0;
  bool shared = true;                      // every group reads every lane and tap
  bool depthwise = false;                  // group n reads lane n alone
  std::vector<std::vector<int>> lanes;     // [groups or 1][entries]
  std::vector<std::vector<int>> patterns;  // [groups or 1][entries], into tap_masks
  std::vector<std::uint64_t> tap_masks;
  bool sparse = false;
  std::int64_t weights = 0;  // kept ones, padding not counted
};

// The weights of a node with everything that places them.
class ConvData {
 public:
  ConvData(Context& context, const ir::Node& node)
      : node_(node), conv_(*node.as<Conv>()), weight_(context.value(node.inputs[1])) {
    if (weight_.constant == nullptr)
      throw UserError(str("node \"", node.name, "\" (Conv): the weight must be constant"));
    const ir::Extents& e = weight_.constant->shape;
    shape_ = {static_cast<int>(e[0]), static_cast<int>(e[1]), static_cast<int>(e[2]),
              static_cast<int>(e[3])};
    c_in_ = shape_.c_in * static_cast<int>(conv_.groups);
    if (context.options().use_sparsity && weight_.sparsity &&
        weight_.sparsity->scheme != Sparsity::Scheme::dense &&
        weight_.sparsity->scheme != Sparsity::Scheme::unstructured && conv_.groups == 1) {
      sparsity_ = &*weight_.sparsity;
    }
    integer_ = weight_.constant->dtype == ir::DType::i8;
  }

  // The stored weight of filter f, input channel c of the whole tensor, or 0 outside its
  // convolution group.
  float real(int f, int c, int tap) const {
    return inside(f, c) ? weight_.constant->as<float>()[index(f, c, tap)] : 0.0F;
  }
  int quantized(int f, int c, int tap) const {
    return inside(f, c) ? weight_.constant->as<std::int8_t>()[index(f, c, tap)] : 0;
  }

  // Taps of filter f that read channel c, as bits; convolutions of more than 64 taps are dense.
  std::uint64_t kept_taps(int f, int c) const {
    if (!inside(f, c)) return 0;
    const std::uint64_t all = all_taps();
    if (sparsity_ == nullptr) return all;
    const int lanes = shape_.lanes(*sparsity_);
    const std::int16_t kept = sparsity_->kept[static_cast<std::size_t>(
        f / sparsity_->group_out * lanes + c / sparsity_->lane_channels)];
    return kept == Sparsity::kNone ? 0 : sparsity_->patterns[kept].bits & all;
  }
  std::uint64_t all_taps() const {
    return taps() >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << taps()) - 1;
  }
  int taps() const { return shape_.taps(); }
  const WeightShape& shape() const { return shape_; }
  int c_in() const { return c_in_; }
  const Sparsity* sparsity() const { return sparsity_; }
  bool integer() const { return integer_; }
  const Conv& conv() const { return conv_; }
  const ir::Value& weight() const { return weight_; }

 private:
  bool inside(int f, int c) const {
    if (f >= shape_.c_out || c >= c_in_) return false;
    return conv_.groups == 1 ||
           c / shape_.c_in == f / (shape_.c_out / static_cast<int>(conv_.groups));
  }
  std::size_t index(int f, int c, int tap) const {
    return static_cast<std::size_t>((f * shape_.c_in + c % shape_.c_in) * taps() + tap);
  }

  const ir::Node& node_;
  const Conv& conv_;
  const ir::Value& weight_;
  WeightShape shape_;
  int c_in_ = 0;
  const Sparsity* sparsity_ = nullptr;
  bool integer_ = false;
};

// Channels of each physical lane of the input: [lanes][4], -1 where a byte is dead.
std::vector<std::array<int, 4>> channels_of_lanes(const ChannelMap& map, int lanes) {
  std::vector<std::array<int, 4>> result(static_cast<std::size_t>(lanes), {-1, -1, -1, -1});
  for (std::size_t c = 0; c < map.size(); ++c) {
    result[static_cast<std::size_t>(map[c] / 4)][static_cast<std::size_t>(map[c] % 4)] =
        static_cast<int>(c);
  }
  return result;
}

ConvLists make_lists(const ConvData& data, const std::vector<std::array<int, 4>>& lanes,
                     int group) {
  ConvLists lists;
  lists.group = group;
  lists.groups = (data.shape().c_out + group - 1) / group;
  std::map<std::uint64_t, int> known;
  bool full = true;
  for (int g = 0; g < lists.groups; ++g) {
    std::vector<int> entry_lanes, entry_patterns;
    for (int lane = 0; lane < static_cast<int>(lanes.size()); ++lane) {
      std::uint64_t mask = 0;
      for (int f = g * group; f < (g + 1) * group; ++f) {
        for (const int c : lanes[static_cast<std::size_t>(lane)]) {
          if (c < 0 || f >= data.shape().c_out) continue;
          mask |= data.kept_taps(f, c);
          const int kept = Pattern{data.kept_taps(f, c)}.size();
          lists.weights += kept > 0 && data.taps() > 64 ? data.taps() : kept;
        }
      }
      full = full && mask == data.all_taps();
      if (mask == 0) continue;
      const int pattern = known.emplace(mask, static_cast<int>(known.size())).first->second;
      entry_lanes.push_back(lane);
      entry_patterns.push_back(pattern);
    }
    lists.lanes.push_back(std::move(entry_lanes));
    lists.patterns.push_back(std::move(entry_patterns));
  }
  lists.tap_masks.resize(known.size());
  for (const auto& [mask, i] : known) lists.tap_masks[static_cast<std::size_t>(i)] = mask;
  // Weights of an entry have a fixed stride, so patterns of unequal size are widened to all taps;
  // so are too many.
  const bool equal = std::all_of(
      lists.tap_masks.begin(), lists.tap_masks.end(),
      [&](std::uint64_t m) { return Pattern{m}.size() == Pattern{lists.tap_masks[0]}.size(); });
  if (!equal || lists.tap_masks.size() > 255 || data.taps() > 64) {
    lists.tap_masks = {data.all_taps()};
    for (auto& p : lists.patterns) std::fill(p.begin(), p.end(), 0);
  }
  if (lists.tap_masks.empty()) lists.tap_masks = {data.all_taps()};
  lists.shared = full;
  lists.sparse = data.sparsity() != nullptr && !full;
  if (!full && data.conv().groups > 1) {
    bool one_each = true;
    for (int g = 0; g < lists.groups; ++g) {
      const auto& l = lists.lanes[static_cast<std::size_t>(g)];
      one_each = one_each && l.size() == 1 && l[0] == g;
    }
    lists.depthwise = one_each;
    lists.shared = one_each;
  }
  if (lists.shared) {
    lists.lanes.resize(1);
    lists.patterns.resize(1);
  }
  return lists;
}

std::vector<int> taps_of(const ConvData& data, std::uint64_t mask) {
  std::vector<int> taps;
  for (int t = 0; t < data.taps(); ++t) {
    if (data.taps() > 64 || ((mask >> t) & 1) != 0) taps.push_back(t);
  }
  return taps;
}

// Registers how init expands the lists. `tap_offset(tap)` is in bytes.
template <class TapOffset>
std::pair<std::int32_t, std::int32_t> store_lists(Context& context, const ConvData& data,
                                                  const ConvLists& lists, std::size_t lane_stride,
                                                  TapOffset tap_offset) {
  xgen_list list{};
  std::vector<std::int32_t> taps;
  for (const std::uint64_t mask : lists.tap_masks) {
    for (const int t : taps_of(data, mask)) taps.push_back(tap_offset(t));
  }
  list.pattern_taps = static_cast<std::int32_t>(taps.size() / lists.tap_masks.size());
  list.taps = context.store(taps);
  list.groups = static_cast<std::int32_t>(lists.lanes.size());
  list.lane_stride = static_cast<std::int32_t>(lane_stride);
  list.counts = list.entries = list.patterns = XGEN_NONE;
  std::size_t entries = 0;
  for (const auto& l : lists.lanes) entries += l.size();
  if (lists.depthwise) {
    list.lanes = 1;
    entries = 1;
  } else if (lists.shared) {
    list.lanes = static_cast<std::int32_t>(lists.lanes[0].size());
  } else {
    std::vector<std::uint16_t> counts, lanes;
    std::vector<std::uint8_t> patterns;
    for (std::size_t g = 0; g < lists.lanes.size(); ++g) {
      counts.push_back(static_cast<std::uint16_t>(lists.lanes[g].size()));
      for (const int lane : lists.lanes[g]) lanes.push_back(static_cast<std::uint16_t>(lane));
      for (const int p : lists.patterns[g]) patterns.push_back(static_cast<std::uint8_t>(p));
    }
    list.counts = context.store(counts);
    list.entries = context.store(lanes);
    if (lists.tap_masks.size() > 1) list.patterns = context.store(patterns);
  }
  list.begin = context.reserve(lists.lanes.size() + 1);
  list.list = context.reserve(entries * static_cast<std::size_t>(list.pattern_taps));
  context.program().lists.push_back(list);
  return {list.list, list.begin};
}

// [group][entry][tap][filter of the group], four channels a lane in int8.
std::size_t store_weights(Context& context, const ConvData& data, const ConvLists& lists,
                          const std::vector<std::array<int, 4>>& lanes) {
  std::vector<float> real;
  std::vector<std::int8_t> quantized;
  for (int g = 0; g < lists.groups; ++g) {
    const std::size_t list = lists.shared ? 0 : static_cast<std::size_t>(g);
    for (std::size_t e = 0; e < lists.lanes[list].size(); ++e) {
      const int lane = lists.depthwise ? g : lists.lanes[list][e];
      for (const int tap :
           taps_of(data, lists.tap_masks[static_cast<std::size_t>(lists.patterns[list][e])])) {
        for (int f = g * lists.group; f < (g + 1) * lists.group; ++f) {
          const auto& channels = lanes[static_cast<std::size_t>(lane)];
          if (data.integer()) {
            for (const int c : channels)
              quantized.push_back(static_cast<std::int8_t>(c < 0 ? 0 : data.quantized(f, c, tap)));
          } else {
            real.push_back(channels[0] < 0 ? 0.0F : data.real(f, channels[0], tap));
          }
        }
      }
    }
  }
  return data.integer() ? context.store(quantized) : context.store(real);
}

// Bias of the accumulators; in int8 it absorbs the zero point of the input as it is stored.
std::size_t store_bias(Context& context, const ir::Node& node, const ConvData& data, int filters) {
  const ir::Constant* bias = context.graph().constant(node.input(2));
  if (!data.integer()) {
    std::vector<float> values(static_cast<std::size_t>(filters), 0.0F);
    if (bias != nullptr)
      std::copy(bias->as<float>().begin(), bias->as<float>().end(), values.begin());
    return context.store(values);
  }
  const int zero = quant_of(context.value(node.inputs[0])).zero -
                   (context.options().signed_activations ? 128 : 0);
  std::vector<std::int32_t> values(static_cast<std::size_t>(filters), 0);
  for (int f = 0; f < data.shape().c_out; ++f) {
    std::int64_t sum = 0;
    const int first =
        data.conv().groups == 1
            ? 0
            : f / (data.shape().c_out / static_cast<int>(data.conv().groups)) * data.shape().c_in;
    for (int c = first; c < first + data.shape().c_in; ++c) {
      for (int tap = 0; tap < data.taps(); ++tap) sum += data.quantized(f, c, tap);
    }
    const std::int64_t b =
        bias == nullptr ? 0 : bias->as<std::int32_t>()[static_cast<std::size_t>(f)];
    // Wraps like the accumulator does: the exact result fits by the quantizer's check.
    values[static_cast<std::size_t>(f)] =
        static_cast<std::int32_t>(static_cast<std::uint32_t>(b - zero * sum));
  }
  return context.store(values);
}

struct Clip {
  float low = -std::numeric_limits<float>::infinity();
  float high = std::numeric_limits<float>::infinity();
};

Clip clip_of(const ir::Activation& a) {
  if (a.kind == ir::Activation::Kind::clip) return {a.low, a.high};
  return {};
}

// The clip of a u8 result, relative to its zero point.
Clip integer_clip(const ir::Activation& a, const ScaleZero& y) {
  const bool clips = a.kind == ir::Activation::Kind::clip || a.kind == ir::Activation::Kind::none;
  const reference::QuantInterval q =
      clips ? reference::clip_interval(a, y.scale, y.zero) : reference::QuantInterval{};
  return {static_cast<float>(q.low - y.zero), static_cast<float>(q.high - y.zero)};
}

// Scales from accumulators to results, and the clips and zero points of the epilogue, for both
// families.
template <class Args>
void set_activation(const ir::Activation& a, Args& args) {
  args.activation = a.kind == ir::Activation::Kind::clip ? XGEN_LINEAR : activation_code(a.kind);
  args.alpha = a.alpha;
  args.beta = a.beta;
}

std::size_t store_scales(Context& context, const ir::Node& node, const ConvData& data, int filters,
                         std::optional<float> result_scale) {
  const float s_x = quant_of(context.value(node.inputs[0])).scale;
  const ir::QuantParams& w = *data.weight().type.quant;
  std::vector<float> scales(static_cast<std::size_t>(filters), 0.0F);
  for (int f = 0; f < data.shape().c_out; ++f) {
    const float s_w = w.scale[w.scale.size() == 1 ? 0 : static_cast<std::size_t>(f)];
    scales[static_cast<std::size_t>(f)] = result_scale
                                              ? reference::requantize_scale(s_x, s_w, *result_scale)
                                              : reference::dequantize_scale(s_x, s_w);
  }
  return context.store(scales);
}

// Integer results know clips only: other functions of u8 are nodes of their own, with a table.
void check_integer_activation(const ir::Node& node, const ir::Activation& a) {
  XGEN_CHECK(a.kind == ir::Activation::Kind::none || a.kind == ir::Activation::Kind::clip,
             node.name, ": an int8 convolution with a fused function");
}

std::string describe(const ConvData& data, const ConvLists& lists, const ir::Value& y) {
  const WeightShape& s = data.shape();
  std::string text = str(data.c_in(), " -> ", s.c_out, ", ", s.kh, "x", s.kw);
  if (data.conv().strides[0] != 1 || data.conv().strides[1] != 1)
    text += str(", stride ", data.conv().strides[0]);
  if (data.conv().groups > 1) text += str(", ", data.conv().groups, " groups");
  if (y.type.shape->size() == 4)
    text += str(", ", ir::to_string((*y.type.shape)[2]), "x", ir::to_string((*y.type.shape)[3]));
  if (lists.sparse) {
    text +=
        str(", ", name_of(data.sparsity()->scheme), ", ",
            static_cast<int>(std::lround(100 * density(*data.sparsity(), s))), " % of the weights");
  }
  return text;
}

}  // namespace

namespace {

void lower_filter_conv(Context& context, const ir::Node& node, const ConvData& data) {
  const ValueId x = node.inputs[0], out = node.output();
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
  std::tie(args.list, args.begin) = store_lists(context, data, lists, lane_stride, [&](int tap) {
    const int ky = tap / data.shape().kw, kx = tap % data.shape().kw;
    return 4 * (ky * static_cast<int>(data.conv().dilations[0]) * pitch +
                kx * static_cast<int>(data.conv().dilations[1]));
  });
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

}  // namespace

void lower_conv(Context& context, const ir::Node& node) {
  const ConvData data(context, node);
  const Conv& conv = data.conv();
  const ValueId x = node.inputs[0], out = node.output();
  const ir::Value& y_value = context.value(out);
  const bool real_out = y_value.type.dtype == ir::DType::f32;
  if (!context.layout(out).spatial) {
    lower_filter_conv(context, node, data);
    return;
  }
  XGEN_CHECK(context.layout(x).spatial, node.name, ": a spatial result of a single position");

  const int s = static_cast<int>(conv.strides[1]);
  const xgen_planes in = s == 1 ? context.planes(x) : context.split(x, s);
  const int in_lanes = in.planes;
  const auto lanes = channels_of_lanes(context.channels(x), in_lanes);

  // How many filters share a list: what the mask says, one for depthwise, the target's best for
  // dense layers.
  int group = data.integer() ? (real_out ? 4 : context.options().dense_group_i8)
                             : context.options().dense_group_f32;
  if (data.sparsity() != nullptr) group = data.sparsity()->group_out;
  if (conv.groups > 1) {
    const int per_group = data.shape().c_out / static_cast<int>(conv.groups);
    if (data.integer())
      group = 4;
    else
      group = per_group % group == 0 ? group : per_group % 4 == 0 ? 4 : 1;
  }
  const kernels::ConvType type = !data.integer() ? kernels::ConvType::f32
                                 : real_out      ? kernels::ConvType::i8_f32
                                                 : kernels::ConvType::i8;
  const auto served = [&](int g) {
    const auto& all = kernels::plane_conv_variants();
    return std::find(all.begin(), all.end(), kernels::PlaneConvVariant{type, g}) != all.end();
  };
  // Smaller groups than the mask's serve it too, each with the mask's list; larger ones would not.
  while (!served(group) && group > 1) group /= 2;
  if (!served(group)) group = data.integer() ? 4 : 1;
  const ConvLists lists = make_lists(data, lanes, group);

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
  const std::size_t lane_stride = in.plane * static_cast<std::size_t>(s);
  args.x_group = lists.depthwise ? lane_stride : 0;
  std::tie(args.list, args.begin) = store_lists(context, data, lists, lane_stride, [&](int tap) {
    const int ky = tap / data.shape().kw, kx = tap % data.shape().kw;
    if (s == 1) return 4 * (ky * dy * in.pitch + kx * dx);
    const int column = kx * dx + in.left - pad_left;
    return static_cast<int>(static_cast<std::size_t>(column % s) * in.plane) +
           4 * (ky * dy * in.pitch + column / s);
  });
  args.shared = lists.shared;
  args.groups = lists.groups;
  args.outputs = real_out ? data.shape().c_out : (data.shape().c_out + 3) / 4;
  args.weights = store_weights(context, data, lists, lanes);
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
  // Inputs that do not fit in L1 are better streamed once, with all groups on each tile.
  args.group_outer = 0;
  Step step{node.name, "Conv", kernels::PlaneConvVariant{type, group}.symbol(),
            describe(data, lists, y_value), args};
  step.scheme = lists.sparse ? name_of(data.sparsity()->scheme) : "dense";
  const std::int64_t positions = static_cast<std::int64_t>(args.y.height) * args.y.width;
  step.macs = lists.weights * positions;
  step.dense_macs =
      static_cast<std::int64_t>(data.shape().c_out) * data.shape().c_in * data.taps() * positions;
  context.add(step);
}

}  // namespace xgen::lower
