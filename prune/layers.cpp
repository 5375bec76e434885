#include "prune/layers.h"

#include <algorithm>
#include <map>
#include <optional>

#include "core/glob.h"
#include "core/suggest.h"

namespace xgen::prune {

namespace {

std::int64_t known(const ir::Dim& dim) { return dim.is_static() ? dim.size : 0; }

/// Positions of one sample that the weight is applied at; 0 when they are not known.
std::int64_t positions(const ir::Graph& graph, const ir::Node& node) {
  const std::optional<ir::Shape>& shape = graph.value(node.output()).type.shape;
  if (!shape || shape->empty()) return 0;
  std::int64_t count = 1;
  if (node.as<ir::Conv>() != nullptr) {
    for (std::size_t i = 2; i < shape->size(); ++i) count *= known((*shape)[i]);
  } else {
    for (std::size_t i = 1; i + 1 < shape->size(); ++i) count *= known((*shape)[i]);
  }
  return count;
}

/// What every layer with weights has; nothing for other nodes.
std::optional<Layer> layer_of(const ir::Graph& graph, const ir::Node& node) {
  const ir::Conv* conv = node.as<ir::Conv>();
  const ir::Gemm* gemm = node.as<ir::Gemm>();
  if (conv == nullptr && gemm == nullptr && node.as<ir::MatMul>() == nullptr) return {};
  Layer layer;
  layer.node = node.name;
  layer.op = ir::op_name(node.op);
  const ir::Constant* weight = graph.constant(node.input(1));
  if (weight == nullptr) {
    layer.reason = "its weight is computed, not constant";
    return layer;
  }
  layer.weight = graph.value(node.input(1)).name;
  const auto& extents = weight->shape;
  const auto extent = [&](std::size_t i) { return static_cast<int>(extents[i]); };
  if (conv != nullptr && extents.size() == 4) {
    layer.shape = {extent(0), extent(1), extent(2), extent(3)};
  } else if (conv == nullptr && extents.size() == 2) {
    layer.transposed = gemm == nullptr || !gemm->trans_b;
    layer.shape = layer.transposed ? WeightShape{extent(1), extent(0), 1, 1}
                                   : WeightShape{extent(0), extent(1), 1, 1};
  } else {
    layer.reason = str("its weight has ", extents.size(), " dimensions");
    return layer;
  }
  const std::int64_t count = positions(graph, node);
  layer.macs = count * layer.shape.c_out * layer.shape.c_in * layer.shape.taps();
  if (weight->dtype != ir::DType::f32) {
    layer.reason = str("its weight is ", ir::name_of(weight->dtype), ", not f32");
  } else if (conv != nullptr && conv->groups != 1) {
    layer.reason = str("it is a grouped convolution (groups = ", conv->groups, ")");
  } else if (gemm != nullptr && gemm->trans_a) {
    layer.reason = "its activations are transposed";
  } else if (layer.shape.taps() > 64) {
    layer.reason = str("its kernel has ", layer.shape.taps(), " taps, more than 64");
  } else if (conv != nullptr && layer.shape.c_in < 4) {
    layer.reason = str("its ", layer.shape.c_in,
                       layer.shape.c_in == 1 ? " input channel is" : " input channels are",
                       " less than one lane of int8");
  } else if (count == 0) {
    layer.reason = "the extents of its result are not known";
  } else {
    layer.prunable = true;
  }
  return layer;
}

bool computes_an_output(const ir::Graph& graph, const ir::UseMap& uses, ir::ValueId value) {
  for (;;) {
    if (std::find(graph.outputs().begin(), graph.outputs().end(), value) != graph.outputs().end()) {
      return true;
    }
    const auto readers = uses.readers[static_cast<std::size_t>(value)];
    if (readers.size() != 1) return false;
    const ir::Node& reader = graph.nodes()[static_cast<std::size_t>(readers.front())];
    const bool passes_on = reader.as<ir::Softmax>() != nullptr ||
                           reader.as<ir::Reshape>() != nullptr ||
                           reader.as<ir::Flatten>() != nullptr;
    if (!passes_on) return false;
    value = reader.output();
  }
}

}  // namespace

std::vector<Layer> layers_of(const ir::Graph& graph, const std::vector<std::string>& exclude) {
  std::vector<Layer> layers;
  std::map<std::string, std::size_t> by_weight;
  const ir::UseMap uses(graph);
  for (const ir::Node& node : graph.nodes()) {
    std::optional<Layer> layer = layer_of(graph, node);
    if (!layer) continue;
    layer->is_output = !layer->is_conv() && computes_an_output(graph, uses, node.output());
    const auto first = layer->weight.empty() ? by_weight.end() : by_weight.find(layer->weight);
    if (first == by_weight.end()) {
      if (!layer->weight.empty()) by_weight[layer->weight] = layers.size();
      layers.push_back(std::move(*layer));
      continue;
    }
    Layer& shared = layers[first->second];
    shared.macs += layer->macs;
    const bool alike = shared.op == layer->op && shared.transposed == layer->transposed;
    if (shared.prunable && !(alike && layer->prunable)) {
      shared.prunable = false;
      shared.reason = str("node \"", node.name, "\" reads the same weight in another way");
    }
  }
  for (const std::string& glob : exclude) {
    bool used = false;
    std::vector<std::string> names;
    for (Layer& layer : layers) {
      names.push_back(layer.node);
      if (!matches_glob(glob, layer.node) && !matches_glob(glob, layer.weight)) continue;
      used = true;
      if (layer.prunable) layer.reason = str("excluded by \"", glob, "\"");
      layer.prunable = false;
    }
    if (!used) {
      throw UserError(
          str("exclude: \"", glob, "\" matches no layer with weights", did_you_mean(glob, names)));
    }
  }
  return layers;
}

}  // namespace xgen::prune
