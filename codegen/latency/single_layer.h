#pragma once

#include <array>
#include <optional>
#include <string>

#include "codegen/program.h"
#include "core/ir/graph.h"
#include "core/latency_model.h"

namespace xgen::latency {

/// What is fused into a layer besides what LayerShape says.
struct LayerExtras {
  bool residual = false;  ///< an input as large as the result is added.
  /// Of the result; fp32 only but for clip, which is a ReLU.
  ir::Activation::Kind activation = ir::Activation::Kind::clip;
};

/// A layer on a square image that keeps its size.
LayerShape square_layer(int c_in, int c_out, int kernel, int size, bool int8);

/// The operator of a layer, without anything fused.
ir::Conv conv_of(const LayerShape& shape);
/// Rows and columns of its result.
std::array<int, 2> result_of(const LayerShape& shape);

/// What a seeded mask is drawn from: each group of filters keeps `live` of `lanes` blocks, each
/// with any of the patterns.
struct MaskForm {
  PatternSet patterns;
  int lanes = 1, live = 1;
};
MaskForm mask_form(const LayerShape& shape, const LayerVariant& variant);

/// What the passes of whole models make of layers like these.
ir::Graph lowering_form(ir::Graph graph);

/// A graph of this one layer with seeded weights and, where the variant is sparse, a seeded mask:
/// what is generated and timed. Already in the form that lowering takes.
ir::Graph single_layer(const LayerShape& shape, const LayerVariant& variant,
                       const LayerExtras& extras = {});

/// Adds such a layer to a graph, in the type of `x`; its weights are called NAME/w.
/// @param residual  is added to the result; kNoValue: nothing is.
ir::ValueId add_layer(ir::Graph& graph, const std::string& name, const LayerShape& shape,
                      const LayerVariant& variant, ir::Activation::Kind activation, ir::ValueId x,
                      ir::ValueId residual = ir::kNoValue);
/// The step of that layer among those of the lowered graph.
int layer_step(const Program& program);

/// The layer of a convolution in a graph with static shapes; nothing for other nodes.
/// @param int8  the type it will run in.
std::optional<LayerShape> layer_of(const ir::Graph& graph, const ir::Node& node, bool int8);

}  // namespace xgen::latency
