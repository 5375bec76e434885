#include "core/ir/rewrite/restore_batch_norm.h"

#include <cmath>

namespace xgen::ir {

namespace {

Patch insert(const Graph& graph, const Node& conv, const ChannelStatistics& statistics) {
  const Constant* weight = graph.constant(conv.input(1));
  XGEN_CHECK(conv.as<Conv>() != nullptr && weight != nullptr, "node \"", conv.name,
             "\" is no convolution with a constant weight");
  const auto channels = static_cast<std::size_t>(weight->shape[0]);
  XGEN_CHECK(statistics.mean.size() == channels && statistics.variance.size() == channels,
             "statistics of ", statistics.mean.size(), " channels for node \"", conv.name,
             "\" with ", channels);
  const Constant* bias = graph.constant(conv.input(2));
  XGEN_CHECK(conv.input(2) == kNoValue || bias != nullptr, "the bias of node \"", conv.name,
             "\" is not constant");

  const BatchNorm bn;
  std::vector<float> scale(channels);
  std::vector<float> mean = statistics.mean;
  for (std::size_t c = 0; c < channels; ++c) {
    scale[c] = std::sqrt(statistics.variance[c] + bn.epsilon);
    if (bias != nullptr) mean[c] -= bias->as<float>()[c];
  }
  const auto shape = Extents{static_cast<std::int64_t>(channels)};
  const std::string name = conv.name + ".bn";
  Patch patch(graph);
  const ValueId plain = patch.value(conv.name + ".no_bias", graph.value(conv.output()).type);
  const std::vector<ValueId> inputs{
      plain, patch.constant(name + ".scale", Constant::of<float>(shape, scale, Role::parameter)),
      patch.constant(name + ".shift", Constant::of<float>(shape, statistics.mean, Role::parameter)),
      patch.constant(name + ".mean", Constant::of<float>(shape, mean, Role::buffer)),
      patch.constant(name + ".variance",
                     Constant::of<float>(shape, statistics.variance, Role::buffer))};
  patch.remove(conv)
      .add(conv.name, conv.op, {conv.inputs[0], conv.inputs[1]}, {plain})
      .add(name, bn, inputs, conv.outputs);
  return patch;
}

}  // namespace

Graph restore_batch_norm(Graph graph, const std::map<std::string, ChannelStatistics>& statistics) {
  for (const auto& [name, channel_statistics] : statistics) {
    const Node* conv = graph.find_node(name);
    XGEN_CHECK(conv != nullptr, "no node \"", name, "\"");
    insert(graph, *conv, channel_statistics).apply(graph);
  }
  return std::move(graph).pruned();
}

}  // namespace xgen::ir
