#include "core/onnx/roles.h"

namespace xgen {

namespace {

using ir::Role;

struct Marker {
  ir::Graph& graph;
  const ir::UseMap uses;

  const ir::Node* producer(ir::ValueId id) const {
    const int n = id == ir::kNoValue ? -1 : uses.producer[static_cast<std::size_t>(id)];
    return n < 0 ? nullptr : &graph.nodes()[static_cast<std::size_t>(n)];
  }

  void mark(ir::ValueId id, Role role) {
    while (const ir::Node* node = producer(id)) {
      const bool moves = node->as<ir::Transpose>() || node->as<ir::Reshape>() ||
                         node->as<ir::Unsqueeze>() || node->as<ir::Squeeze>() ||
                         node->as<ir::QuantizeLinear>() || node->as<ir::DequantizeLinear>();
      if (!moves) return;
      id = node->inputs[0];
    }
    const ir::Constant* constant = graph.constant(id);
    if (constant == nullptr || constant->dtype != ir::DType::f32 || constant->role == role) return;
    ir::Constant marked = *constant;
    marked.role = role;
    graph.set_constant(id, std::move(marked));
  }

  /// MatMul has no bias of its own; exporters add a vector after it.
  void mark_bias_of_mat_mul(const ir::Node& node) {
    const auto* binary = node.as<ir::Binary>();
    if (binary == nullptr || binary->kind != ir::Binary::Kind::add) return;
    for (std::size_t i = 0; i < 2; ++i) {
      const ir::Node* other = producer(node.inputs[1 - i]);
      const ir::Constant* c = graph.constant(node.inputs[i]);
      if (other != nullptr && other->as<ir::MatMul>() && c != nullptr && c->shape.size() == 1)
        mark(node.inputs[i], Role::parameter);
    }
  }
};

}  // namespace

void assign_roles(ir::Graph& graph) {
  Marker marker{graph, ir::UseMap(graph)};
  for (const ir::Node& node : graph.nodes()) {
    if (node.as<ir::Conv>() || node.as<ir::Gemm>()) {
      marker.mark(node.input(1), Role::parameter);
      marker.mark(node.input(2), Role::parameter);
    } else if (node.as<ir::MatMul>()) {
      marker.mark(node.input(0), Role::parameter);
      marker.mark(node.input(1), Role::parameter);
    } else if (node.as<ir::BatchNorm>()) {
      marker.mark(node.input(1), Role::parameter);
      marker.mark(node.input(2), Role::parameter);
      marker.mark(node.input(3), Role::buffer);
      marker.mark(node.input(4), Role::buffer);
    } else if (node.as<ir::Gather>()) {
      marker.mark(node.input(0), Role::parameter);
    } else {
      marker.mark_bias_of_mat_mul(node);
    }
  }
}

}  // namespace xgen
