#pragma once

#include <optional>

#include "core/ir/graph.h"
#include "quantize/weights.h"

namespace xgen::quantize {

/// What Conv, Gemm and MatMul with weights have in common. Inputs: x, weight, [bias].
struct WeightLayer {
  const ir::Node* node = nullptr;
  const ir::Constant* weight = nullptr;  ///< f32, or s8 once baked.
  const ir::Constant* bias = nullptr;    ///< f32, or i32 once baked; null when absent.
  ir::ValueId weight_id = ir::kNoValue;  ///< of the constants.
  ir::ValueId bias_id = ir::kNoValue;
  const ir::Node* weight_dq = nullptr;  ///< the DQ between constant and layer, if any.
  std::int64_t axis = 0;                ///< of the output channels in the weight.
  Channels channels;
};

/// Reads a layer, looking through Q and DQ of weight and bias. Nothing for other nodes.
std::optional<WeightLayer> weight_layer(const ir::Graph& graph, const ir::UseMap& uses,
                                        const ir::Node& node);

/// The node which computes `id`, or null.
inline const ir::Node* producer(const ir::Graph& graph, const ir::UseMap& uses, ir::ValueId id) {
  if (id == ir::kNoValue) return nullptr;
  const int at = uses.producer[static_cast<std::size_t>(id)];
  return at < 0 ? nullptr : &graph.nodes()[static_cast<std::size_t>(at)];
}

/// The node which alone reads `id`, or null when there is none, more than one, or `id` is an
/// output.
inline const ir::Node* only_reader(const ir::Graph& graph, const ir::UseMap& uses, ir::ValueId id) {
  const auto readers = uses.readers[static_cast<std::size_t>(id)];
  if (readers.size() != 1 || uses.uses[static_cast<std::size_t>(id)] != 1) return nullptr;
  return &graph.nodes()[static_cast<std::size_t>(readers.front())];
}

/// Whether the node clips: ReLU or Clip, which fuse into what they alone read.
inline bool is_clip(const ir::Node& node) {
  const ir::Unary* unary = node.as<ir::Unary>();
  return unary != nullptr &&
         (unary->kind == ir::Unary::Kind::relu || unary->kind == ir::Unary::Kind::clip);
}

/// Whether the node only moves values, so that its result keeps the scale of its input 0.
bool keeps_scale(const ir::Graph& graph, const ir::Node& node);

}  // namespace xgen::quantize
