#pragma once

#include <optional>

#include "codegen/program.h"
#include "core/ir/graph.h"
#include "core/latency_model.h"

namespace xgen::latency {

/// What is fused into a layer besides what LayerShape says.
struct LayerExtras {
  bool residual = false;  ///< an input as large as the result is added.
  /// Of the result; fp32 only but for clip, which is a ReLU.
  ir::Activation::Kind activation = ir::Activation::Kind::clip;
  bool real_input = false;      ///< int8: the network's input is fp32 and quantized first.
  bool strided_reader = false;  ///< a small 1x1 layer of stride 2 reads the result.
};

/// A layer on a square image that keeps its size.
LayerShape square_layer(int c_in, int c_out, int kernel, int size, bool int8);

/// A graph of this one layer with seeded weights and, where the variant is sparse, a seeded mask:
/// what is generated and timed. Already in the form that lowering takes.
ir::Graph single_layer(const LayerShape& shape, const LayerVariant& variant,
                       const LayerExtras& extras = {});

/// The step of that layer among those of the lowered graph.
int layer_step(const Program& program);

/// The layer of a convolution in a graph with static shapes; nothing for other nodes.
/// @param int8  the type it will run in.
std::optional<LayerShape> layer_of(const ir::Graph& graph, const ir::Node& node, bool int8);

}  // namespace xgen::latency
