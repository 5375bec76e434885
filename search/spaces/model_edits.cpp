#include "search/spaces/model_edits.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "core/ir/infer_shapes.h"
#include "core/ir/rewrite/fold_constants.h"
#include "core/ir/rewrite/shrink_channels.h"
#include "core/ir/rewrite/simplify.h"

namespace xgen::search {

namespace {

using ir::Node;
using ir::ValueId;

ValueId filled(ir::Patch& patch, const std::string& name, const ir::Extents& shape, float value,
               ir::Role role) {
  const std::vector<float> values(static_cast<std::size_t>(ir::element_count(shape)), value);
  return patch.constant(name, ir::Constant::of<float>(shape, values, role));
}

void add_batch_norm(ir::Patch& patch, const std::string& name, ValueId from, ValueId to,
                    std::int64_t channels) {
  const ir::Extents shape = {channels};
  patch.add(name, ir::BatchNorm{},
            {from, filled(patch, name + ".scale", shape, 1, ir::Role::parameter),
             filled(patch, name + ".shift", shape, 0, ir::Role::parameter),
             filled(patch, name + ".mean", shape, 0, ir::Role::buffer),
             filled(patch, name + ".variance", shape, 1, ir::Role::buffer)},
            {to});
}

std::string name_of(const OperatorLayer& layer) {
  return str(layer.depthwise ? "dw" : "", layer.kernel, "x", layer.kernel);
}

// Sums of |w| by the index along one axis.
class FilterNorms {
 public:
  explicit FilterNorms(const ir::Graph& graph) : graph_(graph) {}

  double of(const ir::ChannelUnit& unit) {
    double sum = 0;
    for (const ir::ConstantSlice& slice : unit.filters)
      sum += along(slice.constant, slice.axis).at(static_cast<std::size_t>(slice.index));
    return sum;
  }

 private:
  const std::vector<double>& along(ValueId id, int axis) {
    const auto [known, is_new] = norms_.try_emplace({id, axis});
    if (!is_new) return known->second;
    const ir::Constant& constant = *graph_.constant(id);
    const auto at = static_cast<std::size_t>(axis);
    std::size_t inner = 1;
    for (std::size_t a = at + 1; a < constant.shape.size(); ++a)
      inner *= static_cast<std::size_t>(constant.shape[a]);
    std::vector<double>& norms = known->second;
    norms.assign(static_cast<std::size_t>(constant.shape[at]), 0);
    // Loops, not one division for each of millions of weights.
    const auto values = constant.as<float>();
    for (std::size_t i = 0; i < values.size();) {
      for (double& norm : norms) {
        for (const std::size_t end = i + inner; i < end; ++i) norm += std::abs(values[i]);
      }
    }
    return norms;
  }

  const ir::Graph& graph_;
  std::map<std::pair<ValueId, int>, std::vector<double>> norms_;
};

// The units of a group that the same constants hold: layers that share a residual sum of rising
// width, or the halves of a split, do not share all of its channels, and each keeps some.
std::vector<std::vector<ir::ChannelUnit>> alike(const ir::ChannelGroup& group) {
  std::map<std::set<std::pair<ValueId, int>>, std::vector<ir::ChannelUnit>> by_constants;
  for (const ir::ChannelUnit& unit : group.units) {
    std::set<std::pair<ValueId, int>> constants;
    for (const ir::ConstantSlice& s : unit.filters) constants.insert({s.constant, s.axis});
    for (const ir::ConstantSlice& s : unit.others) constants.insert({s.constant, s.axis});
    by_constants[constants].push_back(unit);
  }
  std::vector<std::vector<ir::ChannelUnit>> classes;
  classes.reserve(by_constants.size());
  for (auto& [constants, units] : by_constants) classes.push_back(std::move(units));
  return classes;
}

// The least important units beyond `share` of them.
std::vector<ir::ChannelUnit> surplus(const std::vector<ir::ChannelUnit>& units, double share,
                                     FilterNorms& norms) {
  constexpr std::size_t kLane = 4;  // int8 channels that one lane holds
  const auto wanted =
      static_cast<std::size_t>(std::ceil(share * static_cast<double>(units.size()) - 1e-9));
  const std::size_t kept = std::min(units.size(), (wanted + kLane - 1) / kLane * kLane);
  std::vector<std::pair<double, const ir::ChannelUnit*>> order;
  for (const ir::ChannelUnit& unit : units) {
    if (unit.pinned.empty()) order.emplace_back(norms.of(unit), &unit);
  }
  // Of equals the last ones go first.
  std::sort(order.begin(), order.end(), [](const auto& a, const auto& b) {
    return a.first != b.first ? a.first < b.first : a.second > b.second;
  });
  order.resize(std::min(order.size(), units.size() - kept));
  std::vector<ir::ChannelUnit> removed;
  removed.reserve(order.size());
  for (const auto& [norm, unit] : order) removed.push_back(*unit);
  return removed;
}

}  // namespace

ir::Graph with_operator(ir::Graph graph, const ConvolutionPlace& place, const std::string& name,
                        FreshConvolutions& fresh) {
  const Node* conv = graph.find_node(place.convolution);
  if (conv == nullptr) return graph;
  const Node* batch_norm = place.batch_norm.empty() ? nullptr : graph.find_node(place.batch_norm);
  const std::vector<OperatorLayer> layers = operator_layers(name).value();
  const ValueId out = batch_norm != nullptr ? batch_norm->output() : conv->output();
  ir::Patch patch(graph);
  patch.remove(*conv);
  if (batch_norm != nullptr) patch.remove(*batch_norm);
  if (layers.empty()) patch.replace(out, conv->inputs[0]);

  const auto& old = std::get<ir::Conv>(conv->op);
  const ir::Extents& weight = graph.constant(conv->inputs[1])->shape;
  auto strided = std::find_if(layers.begin(), layers.end(),
                              [](const OperatorLayer& layer) { return layer.depthwise; });
  if (strided == layers.end()) strided = layers.begin();
  ValueId x = conv->inputs[0];
  std::int64_t channels = weight[1];
  for (auto layer = layers.begin(); layer != layers.end(); ++layer) {
    const bool last = layer + 1 == layers.end();
    const std::string prefix =
        str(conv->name, ".", layer - layers.begin() + 1, ".", name_of(*layer));
    const std::int64_t filters = layer->depthwise ? channels : weight[0];
    const std::int64_t pad = layer->kernel / 2;
    ir::Conv op;
    op.groups = layer->depthwise ? channels : 1;
    op.strides = layer == strided ? old.strides : op.strides;
    op.pads = layer == strided ? pads_for(graph, *conv, layer->kernel).value()
                               : std::array<std::int64_t, 4>{pad, pad, pad, pad};
    const ValueId w =
        filled(patch, prefix + ".weight",
               {filters, layer->depthwise ? 1 : channels, layer->kernel, layer->kernel}, 0,
               ir::Role::parameter);
    const ValueId convolved = patch.value(prefix);
    patch.add(prefix, op, {x, w}, {convolved});
    x = last ? out : patch.value(prefix + ".bn");
    add_batch_norm(patch, prefix + ".bn", convolved, x, filters);
    if (!last) {
      const ValueId active = patch.value(prefix + ".relu");
      patch.add(prefix + ".relu", ir::Unary{}, {x}, {active});
      x = active;
    }
    fresh[prefix] = place.convolution;
    channels = filters;
  }
  patch.apply(graph);
  return graph.pruned();
}

ir::Graph without_branch(ir::Graph graph, const BranchPlace& place) {
  const Node* add = graph.find_node(place.add);
  if (add == nullptr) return graph;
  ir::Patch patch(graph);
  patch.remove(*add).replace(add->output(), add->inputs[place.shortcut]);
  patch.apply(graph);
  return graph.pruned();
}

ir::Graph with_resolution(ir::Graph graph, std::int64_t size) {
  for (Node& node : graph.mutable_nodes()) {
    const auto* pool = node.as<ir::AveragePool>();
    if (pool == nullptr || pool->pads != std::array<std::int64_t, 4>{0, 0, 0, 0}) continue;
    const ir::Shape& shape = *graph.value(node.inputs[0]).type.shape;
    if (shape[2] == ir::Dim(pool->kernel[0]) && shape[3] == ir::Dim(pool->kernel[1]))
      node.op = ir::GlobalAveragePool{};
  }
  ir::Shape& shape = *graph.value(graph.inputs().at(0)).type.shape;
  shape.at(2) = shape.at(3) = size;
  return ir::infer_shapes(ir::simplify(ir::fold_constants(ir::infer_shapes(std::move(graph)))));
}

ir::Graph with_widths(
    const ir::Graph& graph,
    const std::function<std::optional<double>(const std::string& producer)>& share_of) {
  FilterNorms norms(graph);
  std::vector<ir::ChannelUnit> removed;
  for (const ir::ChannelGroup& group : ir::channel_groups(graph)) {
    std::optional<double> share;
    for (const std::string& producer : group.producers) {
      if (!share) share = share_of(producer);
    }
    if (!share || *share == 1) continue;
    for (const std::vector<ir::ChannelUnit>& units : alike(group)) {
      const std::vector<ir::ChannelUnit> gone = surplus(units, *share, norms);
      removed.insert(removed.end(), gone.begin(), gone.end());
    }
  }
  return removed.empty() ? graph : ir::shrink_channels(graph, removed);
}

ir::Graph with_drawn_weights(ir::Graph graph, const FreshConvolutions& fresh,
                             const Random& random) {
  for (const auto& [name, replaced] : fresh) {
    const Node* node = graph.find_node(name);
    if (node == nullptr) continue;  // in a branch that was removed
    const ValueId id = node->inputs[1];
    ir::Constant weight = *graph.constant(id);
    const std::int64_t filters = std::get<ir::Conv>(node->op).groups == 1 ? weight.shape[0] : 1;
    const double deviation =
        std::sqrt(2.0 / static_cast<double>(filters * weight.shape[2] * weight.shape[3]));
    RandomStream stream = random.stream("initialise", graph.value(id).name);
    for (float& w : weight.as_mutable<float>()) w = static_cast<float>(stream.normal() * deviation);
    graph.set_constant(id, std::move(weight));
  }
  return graph;
}

}  // namespace xgen::search
