#include "quantize/qdq.h"

#include <algorithm>
#include <optional>

#include "core/ir/rewrite/joined_name.h"
#include "core/reference/integer.h"
#include "core/suggest.h"
#include "quantize/integer_plan.h"
#include "quantize/qdq_layers.h"

namespace xgen::quantize {

namespace {

std::size_t at(ir::ValueId id) { return static_cast<std::size_t>(id); }

/// Why a layer cannot be computed in integers; empty when it can.
std::string refusal(const ir::Graph& graph, const WeightLayer& layer) {
  if (layer.weight == nullptr) return "its weight is computed, not constant";
  if (layer.weight->dtype != ir::DType::f32) {
    return str("its weight is ", ir::name_of(layer.weight->dtype), ", not f32");
  }
  if (graph.is_constant(layer.node->input(0))) return "its input is constant";
  if (const ir::Gemm* gemm = layer.node->as<ir::Gemm>()) {
    if (gemm->trans_a) return "its activations are transposed";
    if (gemm->alpha != 1 || (layer.bias_id != ir::kNoValue && gemm->beta != 1)) {
      return str("its factors alpha and beta are ", gemm->alpha, " and ", gemm->beta, ", not 1");
    }
  }
  if (layer.weight->shape.size() != (layer.node->as<ir::Conv>() != nullptr ? 4 : 2)) {
    return str("its weight has ", layer.weight->shape.size(), " dimensions");
  }
  if (layer.bias_id != ir::kNoValue &&
      (layer.bias == nullptr || layer.bias->dtype != ir::DType::f32 ||
       layer.bias->size() != static_cast<std::int64_t>(layer.channels.count))) {
    return "its bias is not one constant number for each output channel";
  }
  return "";
}

/// Whether a node other than a layer has an integer form when its result is wanted in integers.
bool has_integer_form(const ir::Graph& graph, const ir::Node& node) {
  const auto all_computed = [&] {
    return std::none_of(node.inputs.begin(), node.inputs.end(), [&](ir::ValueId in) {
      return in == ir::kNoValue || graph.is_constant(in);
    });
  };
  if (const ir::Binary* binary = node.as<ir::Binary>()) {
    return binary->kind == ir::Binary::Kind::add && all_computed();
  }
  if (node.as<ir::Concat>() != nullptr) return all_computed();
  return node.as<ir::AveragePool>() != nullptr || node.as<ir::GlobalAveragePool>() != nullptr ||
         node.as<ir::Unary>() != nullptr || keeps_scale(graph, node);
}

/// What is decided about a float graph before anything is inserted.
struct Plan {
  std::vector<LayerType> layers;
  std::vector<bool> is_int8;  ///< by node: a layer computed in integers.
  std::vector<bool> wanted;   ///< by value: read by something computed in integers.
  std::vector<bool> fused;    ///< by value: read by a fused clip alone, so not rounded.
};

Plan make_plan(const ir::Graph& graph, const ir::UseMap& uses,
               const std::vector<std::string>& exclude) {
  Plan plan;
  const auto& nodes = graph.nodes();
  plan.is_int8.assign(nodes.size(), false);
  plan.wanted.assign(graph.values().size(), false);
  plan.fused.assign(graph.values().size(), false);
  std::vector<bool> used(exclude.size(), false);
  std::vector<std::string> names;
  for (std::size_t n = 0; n < nodes.size(); ++n) {
    XGEN_CHECK(nodes[n].as<ir::BatchNorm>() == nullptr, "fold BatchNorm before quantization: \"",
               nodes[n].name, "\"");
    const std::optional<WeightLayer> layer = weight_layer(graph, uses, nodes[n]);
    if (!layer) continue;
    names.push_back(nodes[n].name);
    LayerType row{nodes[n].name, false, refusal(graph, *layer)};
    for (std::size_t e = 0; e < exclude.size(); ++e) {
      if (!ir::matches_part(exclude[e], nodes[n].name)) continue;
      used[e] = true;
      row.reason = str("excluded by \"", exclude[e], "\"");
    }
    row.int8 = row.reason.empty();
    plan.is_int8[n] = row.int8;
    plan.layers.push_back(std::move(row));
  }
  for (std::size_t e = 0; e < exclude.size(); ++e) {
    if (used[e]) continue;
    throw UserError(str("exclude \"", exclude[e], "\" matches no layer with weights",
                        did_you_mean(exclude[e], names)));
  }
  for (std::size_t n = nodes.size(); n-- > 0;) {
    const ir::Node& node = nodes[n];
    if (plan.is_int8[n]) {
      plan.wanted[at(node.input(0))] = true;
      continue;
    }
    if (!plan.wanted[at(node.output())] || !has_integer_form(graph, node)) continue;
    const ir::Node* before = producer(graph, uses, node.input(0));
    if (node.as<ir::Unary>() != nullptr && before != nullptr &&
        weight_layer(graph, uses, *before) &&
        !plan.is_int8[static_cast<std::size_t>(before - nodes.data())]) {
      continue;  // after a layer in f32 it would only add a rounding
    }
    const bool moves = keeps_scale(graph, node);
    for (std::size_t i = 0; i < (moves ? 1 : node.inputs.size()); ++i) {
      if (!graph.is_constant(node.inputs[i])) plan.wanted[at(node.inputs[i])] = true;
    }
    if (before == nullptr || !is_clip(node) || only_reader(graph, uses, node.input(0)) != &node) {
      continue;
    }
    const auto before_at = static_cast<std::size_t>(before - nodes.data());
    const ir::Binary* binary = before->as<ir::Binary>();
    const bool integer_add = binary != nullptr && has_integer_form(graph, *before);
    if (plan.is_int8[before_at] || integer_add) plan.fused[at(node.input(0))] = true;
  }
  return plan;
}

/// Whether a value gets a scale of its own: wanted, not inside a fused pair, not moved only.
bool own_scale(const ir::Graph& graph, const ir::UseMap& uses, const Plan& plan, ir::ValueId id) {
  if (!plan.wanted[at(id)] || plan.fused[at(id)] || graph.is_constant(id)) return false;
  const ir::Node* node = producer(graph, uses, id);
  return node == nullptr || !keeps_scale(graph, *node);
}

QuantizedWeights quantized(const WeightLayer& layer, const LayerScales& scales, bool read_weights) {
  if (!read_weights) {
    const std::size_t count = layer.channels.count;
    return {std::vector<float>(count, 1),
            std::vector<std::int8_t>(static_cast<std::size_t>(layer.weight->size())),
            std::vector<std::int32_t>(count),
            {}};
  }
  std::span<const float> bias;
  if (layer.bias != nullptr) bias = layer.bias->as<float>();
  QuantizedWeights q = quantize_weights(layer.weight->as<float>(), bias, layer.channels, scales);
  if (const auto problem = overflow(q)) {
    throw UserError(
        str("node \"", layer.node->name, "\": ", *problem, "; exclude it from quantization"));
  }
  return q;
}

/// A layer of a graph with Q/DQ that is computed in integers, with its weights as they are now.
struct IntegerLayer {
  WeightLayer layer;
  float s_x = 1;
  QuantizedWeights weights;
};

/// Nothing for other nodes, and for layers whose weights are integers already.
std::optional<IntegerLayer> integer_layer(const ir::Graph& qdq, const ir::UseMap& uses,
                                          const IntegerPlan& plan, const ir::Node& node,
                                          bool read_weights = true) {
  const std::optional<WeightLayer> layer = weight_layer(qdq, uses, node);
  const ir::Node* x = layer ? producer(qdq, uses, node.input(0)) : nullptr;
  if (!layer || layer->weight == nullptr || layer->weight_dq == nullptr || x == nullptr ||
      x->as<ir::DequantizeLinear>() == nullptr || layer->weight->dtype != ir::DType::f32)
    return {};
  const ir::Constant* s_x = qdq.constant(x->input(1));
  XGEN_CHECK(s_x != nullptr && s_x->size() == 1, "the scale of \"", x->name, "\"");
  LayerScales scales{s_x->as<float>()[0]};
  if (const auto known = plan.nodes.find(node.name);
      known != plan.nodes.end() && known->second.result)
    scales.s_y = known->second.result->steps.scale;
  return IntegerLayer{*layer, scales.s_x, quantized(*layer, scales, read_weights)};
}

/// Gives weights the scales that they will be baked with. They depend on the scale of the layer's
/// result, which comes later in the graph than the weight's Q.
ir::Graph with_weight_scales(ir::Graph qdq) {
  const ir::UseMap uses(qdq);
  const IntegerPlan plan = make_integer_plan(qdq);
  std::vector<std::pair<ir::ValueId, std::vector<float>>> scales;
  for (const ir::Node& node : qdq.nodes()) {
    if (auto found = integer_layer(qdq, uses, plan, node))
      scales.emplace_back(found->layer.weight_dq->input(1), std::move(found->weights.scale));
  }
  for (auto& [id, of_layer] : scales)
    qdq.set_constant(
        id, ir::Constant::of<float>({static_cast<std::int64_t>(of_layer.size())}, of_layer));
  return qdq;
}

/// Copies a graph node by node, with Q/DQ pairs.
class Inserter {
 public:
  Inserter(const ir::Graph& from, const std::map<std::string, ActivationRange>& ranges,
           const std::vector<std::string>& exclude)
      : from_(from),
        uses_(from),
        plan_(make_plan(from, uses_, exclude)),
        ranges_(ranges),
        to_(from.values().size(), ir::kNoValue),
        params_(from.values().size()) {}

  ir::Graph run() {
    graph_.name = from_.name;
    for (const ir::ValueId id : from_.inputs()) {
      const ir::Value& value = from_.value(id);
      to_[at(id)] = graph_.add_input(value.name, value.type);
      quantize_value(id);
    }
    for (std::size_t id = 0; id < from_.values().size(); ++id) {
      const ir::Value& value = from_.values()[id];
      if (value.constant == nullptr) continue;
      to_[id] = graph_.add_constant(value.name, value.constant);
      graph_.value(to_[id]).type = value.type;
      graph_.value(to_[id]).sparsity = value.sparsity;
    }
    for (std::size_t n = 0; n < from_.nodes().size(); ++n) copy(from_.nodes()[n], plan_.is_int8[n]);
    std::vector<ir::ValueId> outputs;
    for (const ir::ValueId id : from_.outputs()) outputs.push_back(to_[at(id)]);
    graph_.set_outputs(std::move(outputs));
    return std::move(graph_).pruned();
  }

 private:
  struct Params {
    ir::QuantParams quant;
    ir::ValueId scale = ir::kNoValue;
    ir::ValueId zero_point = ir::kNoValue;
  };

  bool is_output(ir::ValueId id) const {
    return std::find(from_.outputs().begin(), from_.outputs().end(), id) != from_.outputs().end();
  }

  void copy(const ir::Node& node, bool int8) {
    std::vector<ir::ValueId> inputs;
    for (const ir::ValueId in : node.inputs) {
      inputs.push_back(in == ir::kNoValue ? in : to_[at(in)]);
    }
    if (int8) inputs[1] = quantize_weight(node);
    const ir::Value& result = from_.value(node.output());
    // The name of an output of the graph belongs to the value that leaves it.
    const bool renamed = will_quantize(node.output()) && is_output(node.output());
    const ir::ValueId out = graph_.add_node(node.name, node.op, std::move(inputs),
                                            result.name + (renamed ? "/float" : ""));
    graph_.value(out).type = result.type;
    to_[at(node.output())] = out;
    for (std::size_t i = 1; i < node.outputs.size(); ++i) {
      XGEN_CHECK(uses_.uses[at(node.outputs[i])] == 0, "node \"", node.name,
                 "\" has several results");
    }
    quantize_value(node.output());
  }

  bool will_quantize(ir::ValueId id) const { return plan_.wanted[at(id)] && !plan_.fused[at(id)]; }

  /// Inserts Q and DQ after the copy of `id` where it is read in integers.
  void quantize_value(ir::ValueId id) {
    if (!will_quantize(id)) return;
    const ir::Value& value = from_.value(id);
    const ir::Node* node = producer(from_, uses_, id);
    const bool moved = node != nullptr && keeps_scale(from_, *node);
    params_[at(id)] = moved ? params_[at(node->input(0))] : own_params(value.name);
    const auto& p = params_[at(id)];
    XGEN_CHECK(p.has_value(), "no scale for \"", value.name, "\"");
    const ir::ValueId q =
        graph_.add_node(value.name + "/QuantizeLinear", ir::QuantizeLinear{},
                        {to_[at(id)], p->scale, p->zero_point}, value.name + "/quantized");
    graph_.value(q).type = {ir::DType::u8, value.type.shape, {}};
    const ir::ValueId dq = graph_.add_node(
        value.name + "/DequantizeLinear", ir::DequantizeLinear{}, {q, p->scale, p->zero_point},
        is_output(id) && node != nullptr ? value.name : value.name + "/dequantized");
    graph_.value(dq).type = value.type;
    to_[at(id)] = dq;
  }

  Params own_params(const std::string& name) {
    const auto range = ranges_.find(name);
    XGEN_CHECK(range != ranges_.end(), "no range for \"", name, "\"");
    Params p{params_of(range->second), {}, {}};
    p.scale = graph_.add_constant(name + "/scale", ir::Constant::scalar(p.quant.scale[0]));
    p.zero_point =
        graph_.add_constant(name + "/zero_point",
                            ir::Constant::scalar(static_cast<std::uint8_t>(p.quant.zero_point[0])));
    return p;
  }

  ir::ValueId quantize_weight(const ir::Node& node) {
    const WeightLayer layer = *weight_layer(from_, uses_, node);
    const std::string name = from_.value(layer.weight_id).name;
    const std::size_t count = layer.channels.count;
    const ir::Extents channels{static_cast<std::int64_t>(count)};
    // with_weight_scales() fills them in.
    const ir::ValueId scale = graph_.add_constant(
        name + "/scale", ir::Constant::of<float>(channels, std::vector<float>(count, 1)));
    const ir::ValueId zero_point = graph_.add_constant(
        name + "/zero_point",
        ir::Constant::of<std::int8_t>(channels, std::vector<std::int8_t>(count, 0)));
    const ir::TensorType& type = from_.value(layer.weight_id).type;
    const ir::ValueId quant =
        graph_.add_node(node.name + "/weight/QuantizeLinear", ir::QuantizeLinear{layer.axis},
                        {to_[at(layer.weight_id)], scale, zero_point}, name + "/quantized");
    graph_.value(quant).type = {ir::DType::i8, type.shape, {}};
    const ir::ValueId dq =
        graph_.add_node(node.name + "/weight/DequantizeLinear", ir::DequantizeLinear{layer.axis},
                        {quant, scale, zero_point}, name + "/dequantized");
    graph_.value(dq).type = type;
    return dq;
  }

  const ir::Graph& from_;
  ir::UseMap uses_;
  Plan plan_;
  const std::map<std::string, ActivationRange>& ranges_;
  ir::Graph graph_;
  std::vector<ir::ValueId> to_;                ///< by value: what readers read in the copy.
  std::vector<std::optional<Params>> params_;  ///< by value.
};

}  // namespace

std::vector<LayerType> layer_types(const ir::Graph& graph,
                                   const std::vector<std::string>& exclude) {
  return make_plan(graph, ir::UseMap(graph), exclude).layers;
}

std::vector<std::string> values_to_observe(const ir::Graph& graph,
                                           const std::vector<std::string>& exclude) {
  const ir::UseMap uses(graph);
  const Plan plan = make_plan(graph, uses, exclude);
  std::vector<std::string> names;
  for (std::size_t id = 0; id < graph.values().size(); ++id) {
    if (own_scale(graph, uses, plan, static_cast<ir::ValueId>(id))) {
      names.push_back(graph.values()[id].name);
    }
  }
  return names;
}

ir::Graph insert_qdq(const ir::Graph& graph, const std::map<std::string, ActivationRange>& ranges,
                     const std::vector<std::string>& exclude, bool read_weights) {
  ir::Graph qdq = Inserter(graph, ranges, exclude).run();
  return read_weights ? with_weight_scales(std::move(qdq)) : qdq;
}

ir::Graph bake_weights(const ir::Graph& qdq, bool read_weights) {
  ir::Graph graph = qdq;
  const ir::UseMap uses(qdq);
  const IntegerPlan plan = make_integer_plan(qdq);
  std::vector<ir::Node> nodes;
  for (std::size_t n = 0; n < qdq.nodes().size(); ++n) {
    const ir::Node& node = qdq.nodes()[n];
    const std::optional<IntegerLayer> found = integer_layer(qdq, uses, plan, node, read_weights);
    if (!found) {
      nodes.push_back(node);
      continue;
    }
    const WeightLayer& layer = found->layer;
    const QuantizedWeights& q = found->weights;
    const auto channels = static_cast<std::int64_t>(q.scale.size());
    const ir::Value& weight = qdq.value(layer.weight_id);
    const ir::ValueId values = graph.add_constant(
        weight.name + "/int8", ir::Constant::of<std::int8_t>(layer.weight->shape, q.values));
    graph.value(values).sparsity = weight.sparsity;
    const ir::ValueId scale = graph.add_constant(weight.name + "/int8/scale",
                                                 ir::Constant::of<float>({channels}, q.scale));
    for (ir::Node& copied : nodes) {
      if (copied.name != layer.weight_dq->name) continue;
      copied.inputs[0] = values;
      copied.inputs[1] = scale;
    }
    ir::Node baked = node;
    if (layer.bias != nullptr) {
      const std::string name = qdq.value(layer.bias_id).name;
      std::vector<float> bias_scale;
      for (const float s_w : q.scale) {
        bias_scale.push_back(reference::dequantize_scale(found->s_x, s_w));
      }
      const ir::ValueId bias =
          graph.add_constant(name + "/int32", ir::Constant::of<std::int32_t>({channels}, q.bias));
      const ir::ValueId bias_scales = graph.add_constant(
          name + "/int32/scale", ir::Constant::of<float>({channels}, bias_scale));
      baked.inputs[2] =
          graph.add_node(node.name + "/bias/DequantizeLinear", ir::DequantizeLinear{0},
                         {bias, bias_scales}, name + "/dequantized");
      graph.value(baked.inputs[2]).type = qdq.value(layer.bias_id).type;
      nodes.push_back(graph.mutable_nodes().back());
    }
    nodes.push_back(std::move(baked));
  }
  graph.mutable_nodes() = std::move(nodes);
  return std::move(graph).pruned();
}

}  // namespace xgen::quantize
