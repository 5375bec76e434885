#include "quantize/qdq_layers.h"

#include <algorithm>

namespace xgen::quantize {

namespace {

/// The constant behind `id`, through DQ and Q; null when there is none.
const ir::Constant* constant_behind(const ir::Graph& graph, const ir::UseMap& uses, ir::ValueId& id,
                                    const ir::Node** dq) {
  const ir::Node* node = producer(graph, uses, id);
  if (node != nullptr && node->as<ir::DequantizeLinear>() != nullptr) {
    if (dq != nullptr) *dq = node;
    id = node->input(0);
    node = producer(graph, uses, id);
    if (node != nullptr && node->as<ir::QuantizeLinear>() != nullptr) id = node->input(0);
  }
  return graph.constant(id);
}

}  // namespace

std::optional<WeightLayer> weight_layer(const ir::Graph& graph, const ir::UseMap& uses,
                                        const ir::Node& node) {
  const ir::Conv* conv = node.as<ir::Conv>();
  const ir::Gemm* gemm = node.as<ir::Gemm>();
  if (conv == nullptr && gemm == nullptr && node.as<ir::MatMul>() == nullptr) return {};
  WeightLayer layer;
  layer.node = &node;
  layer.weight_id = node.input(1);
  layer.weight = constant_behind(graph, uses, layer.weight_id, &layer.weight_dq);
  layer.bias_id = node.input(2);
  if (layer.bias_id != ir::kNoValue) {
    layer.bias = constant_behind(graph, uses, layer.bias_id, nullptr);
  }
  layer.axis = conv != nullptr || (gemm != nullptr && gemm->trans_b) ? 0 : 1;
  if (layer.weight != nullptr && layer.weight->shape.size() >= 2) {
    const auto& shape = layer.weight->shape;
    const auto axis = static_cast<std::size_t>(layer.axis);
    layer.channels.count = static_cast<std::size_t>(shape[axis]);
    for (std::size_t i = axis + 1; i < shape.size(); ++i) {
      layer.channels.inner *= static_cast<std::size_t>(shape[i]);
    }
  }
  return layer;
}

bool keeps_scale(const ir::Graph& graph, const ir::Node& node) {
  if (const ir::Resize* resize = node.as<ir::Resize>()) {
    return resize->mode == ir::Resize::Mode::nearest;
  }
  if (node.as<ir::Pad>() != nullptr) {
    if (node.input(2) == ir::kNoValue) return true;
    const ir::Constant* value = graph.constant(node.input(2));
    return value != nullptr && value->dtype == ir::DType::f32 && value->as<float>()[0] == 0;
  }
  return node.as<ir::MaxPool>() != nullptr || node.as<ir::Flatten>() != nullptr ||
         node.as<ir::Reshape>() != nullptr || node.as<ir::Slice>() != nullptr ||
         node.as<ir::Transpose>() != nullptr || node.as<ir::Squeeze>() != nullptr ||
         node.as<ir::Unsqueeze>() != nullptr || node.as<ir::Dropout>() != nullptr;
}

}  // namespace xgen::quantize
