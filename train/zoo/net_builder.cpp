#include "train/zoo/net_builder.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <memory>

namespace xgen::train {

namespace {

// Zeros of a weight, made once for all networks that are only asked for their size and time.
// Weights of one network do not share them: one constant under two names would be one parameter.
ir::ConstantPtr shared_zeros(const std::string& name, const ir::Extents& shape) {
  // Spaces with many widths have many shapes.
  constexpr std::int64_t kMostElements = 64 << 20;
  thread_local std::map<std::pair<std::string, ir::Extents>, ir::ConstantPtr> all;
  thread_local std::int64_t elements = 0;
  const std::pair key(name, shape);
  if (const auto found = all.find(key); found != all.end()) return found->second;
  const std::int64_t count = ir::element_count(shape);
  if (elements + count > kMostElements) {
    all.clear();
    elements = 0;
  }
  elements += count;
  const std::vector<float> zeros(static_cast<std::size_t>(count));
  return all[key] = std::make_shared<const ir::Constant>(
             ir::Constant::of<float>(shape, zeros, ir::Role::parameter));
}

std::vector<float> drawn(const Random& random, const std::string& name, const ir::Extents& shape,
                         bool depthwise) {
  std::vector<float> values(static_cast<std::size_t>(ir::element_count(shape)));
  RandomStream stream = random.stream("initialise", name);
  if (shape.size() == 4) {
    const std::int64_t outputs = depthwise ? 1 : shape[0];
    const double deviation = std::sqrt(2.0 / static_cast<double>(outputs * shape[2] * shape[3]));
    for (float& v : values) v = static_cast<float>(stream.normal() * deviation);
    return values;
  }
  const double bound = 1 / std::sqrt(static_cast<double>(shape[1]));
  for (float& v : values) v = static_cast<float>((2 * stream.uniform() - 1) * bound);
  return values;
}

}  // namespace

std::vector<float> initial_weights(const Random& random, const std::string& name,
                                   const ir::Extents& shape) {
  return drawn(random, name, shape, false);
}

NetBuilder::NetBuilder(std::string name, std::int64_t channels, std::int64_t height,
                       std::int64_t width, const std::optional<Random>& random)
    : random_(random), channels_(channels) {
  graph_.name = std::move(name);
  current_ =
      graph_.add_input("input", {ir::DType::f32, ir::Shape{"N", channels, height, width}, {}});
}

ir::ValueId NetBuilder::parameter(const std::string& name, ir::Extents shape,
                                  const std::string& kind) {
  if (kind == "conv" || kind == "depthwise" || kind == "linear") {
    if (!random_) return graph_.add_constant(name, shared_zeros(name, shape));
    const auto values = drawn(*random_, name, shape, kind == "depthwise");
    return graph_.add_constant(
        name, ir::Constant::of<float>(std::move(shape), values, ir::Role::parameter));
  }
  XGEN_CHECK(kind == "zeros" || kind == "ones" || kind == "mean" || kind == "variance", kind);
  const bool buffer = kind == "mean" || kind == "variance";
  const std::vector<float> values(static_cast<std::size_t>(ir::element_count(shape)),
                                  kind == "ones" || kind == "variance" ? 1.0F : 0.0F);
  return graph_.add_constant(
      name, ir::Constant::of<float>(std::move(shape), values,
                                    buffer ? ir::Role::buffer : ir::Role::parameter));
}

ir::ValueId NetBuilder::integers(const std::string& name, const std::vector<std::int64_t>& values) {
  const auto count = static_cast<std::int64_t>(values.size());
  return graph_.add_constant(name, ir::Constant::of<std::int64_t>({count}, values));
}

NetBuilder& NetBuilder::conv(const std::string& name, std::int64_t c_out,
                             const ConvOptions& options) {
  ir::Conv op;
  const std::int64_t pad = options.pad < 0 ? (options.kernel - 1) / 2 : options.pad;
  op.strides = {options.stride, options.stride};
  op.pads = {pad, pad, pad, pad};
  op.groups = options.groups;
  std::vector<ir::ValueId> inputs = {
      current_, parameter(name + ".weight",
                          {c_out, channels_ / options.groups, options.kernel, options.kernel},
                          options.groups == 1 ? "conv" : "depthwise")};
  if (options.bias) inputs.push_back(parameter(name + ".bias", {c_out}, "zeros"));
  return from(graph_.add_node(name, op, inputs), c_out);
}

NetBuilder& NetBuilder::batch_norm(const std::string& name) {
  const std::vector<ir::ValueId> inputs = {
      current_, parameter(name + ".weight", {channels_}, "ones"),
      parameter(name + ".bias", {channels_}, "zeros"),
      parameter(name + ".running_mean", {channels_}, "mean"),
      parameter(name + ".running_var", {channels_}, "variance")};
  return from(graph_.add_node(name, ir::BatchNorm{}, inputs), channels_);
}

NetBuilder& NetBuilder::relu(const std::string& name) {
  return from(graph_.add_node(name, ir::Unary{}, {current_}), channels_);
}

NetBuilder& NetBuilder::relu6(const std::string& name) {
  ir::Unary op{ir::Unary::Kind::clip};
  op.low = 0;
  op.high = 6;
  return from(graph_.add_node(name, op, {current_}), channels_);
}

NetBuilder& NetBuilder::max_pool(const std::string& name, std::int64_t size) {
  ir::MaxPool op;
  op.kernel = op.strides = {size, size};
  return from(graph_.add_node(name, op, {current_}), channels_);
}

NetBuilder& NetBuilder::average_pool_to_features(const std::string& name) {
  current_ = graph_.add_node(name, ir::GlobalAveragePool{}, {current_});
  return flatten(name + ".flatten", 1, 1);
}

NetBuilder& NetBuilder::flatten(const std::string& name, std::int64_t height, std::int64_t width) {
  return from(graph_.add_node(name, ir::Flatten{}, {current_}), channels_ * height * width);
}

NetBuilder& NetBuilder::dropout(const std::string& name, float ratio) {
  return from(graph_.add_node(name, ir::Dropout{ratio}, {current_}), channels_);
}

ir::ValueId NetBuilder::linear_node(const std::string& name, std::int64_t out,
                                    const std::string& output) {
  ir::Gemm op;
  op.trans_b = true;
  return graph_.add_node(name, op,
                         {current_, parameter(name + ".weight", {out, channels_}, "linear"),
                          parameter(name + ".bias", {out}, "zeros")},
                         output);
}

NetBuilder& NetBuilder::linear(const std::string& name, std::int64_t features_out) {
  return from(linear_node(name, features_out, name), features_out);
}

NetBuilder& NetBuilder::add(const std::string& name, ir::ValueId other) {
  return from(graph_.add_node(name, ir::Binary{}, {current_, other}), channels_);
}

NetBuilder& NetBuilder::subsample_and_widen(const std::string& name, std::int64_t stride,
                                            std::int64_t c_out) {
  constexpr std::int64_t kEnd = std::numeric_limits<std::int64_t>::max();
  const std::int64_t before = (c_out - channels_) / 2;
  const ir::ValueId sliced = graph_.add_node(
      name + ".slice", ir::Slice{},
      {current_, integers(name + ".starts", {0, 0}), integers(name + ".ends", {kEnd, kEnd}),
       integers(name + ".axes", {2, 3}), integers(name + ".steps", {stride, stride})});
  return from(
      graph_.add_node(name + ".pad", ir::Pad{},
                      {sliced, integers(name + ".pads",
                                        {0, before, 0, 0, 0, c_out - channels_ - before, 0, 0})}),
      c_out);
}

NetBuilder& NetBuilder::conv_bn_relu(const std::string& suffix, std::int64_t c_out,
                                     const ConvOptions& options) {
  return conv("conv" + suffix, c_out, options).batch_norm("bn" + suffix).relu("relu" + suffix);
}

NetBuilder& NetBuilder::from(ir::ValueId value, std::int64_t channels) {
  current_ = value;
  channels_ = channels;
  return *this;
}

ir::Graph NetBuilder::finish(std::int64_t classes) {
  graph_.set_outputs({linear_node("fc", classes, "logits")});
  return std::move(graph_);
}

}  // namespace xgen::train
