#include "cli/run/layer_latency.h"

#include <torch/torch.h>

#include "cli/run/calibrate.h"
#include "codegen/latency/single_layer.h"
#include "core/error.h"
#include "core/ir/infer_shapes.h"
#include "core/ir/rewrite/fold_batch_norm.h"
#include "prune/schemes/schemes.h"
#include "quantize/qdq.h"

namespace xgen::cli {

LayerShape latency_shape(const ir::Graph& graph, const prune::Layer& layer, bool int8) {
  const ir::Node* node = graph.find_node(layer.node);
  XGEN_CHECK(node != nullptr, layer.node);
  if (const auto shape = latency::layer_of(graph, *node, int8)) return *shape;
  // A fully connected layer is a 1x1 convolution at one position.
  LayerShape shape;
  shape.c_in = layer.shape.c_in;
  shape.c_out = layer.shape.c_out;
  shape.int8 = int8;
  return shape;
}

LayerVariant latency_variant(const prune::Layer& layer, const prune::Constraint& constraint) {
  LayerVariant variant;
  if (constraint.scheme == Sparsity::Scheme::unstructured) return variant;
  const bool pattern = constraint.scheme == Sparsity::Scheme::pattern;
  variant.scheme = constraint.scheme;
  variant.group_out = constraint.group_out;
  variant.lane_channels = constraint.lane_channels;
  variant.taps = pattern ? constraint.patterns.taps() : 0;
  // A block that keeps some of its taps costs what a share of whole ones does.
  const double share = prune::rules_of(constraint.scheme).kept_share(layer.shape, constraint);
  variant.kept_blocks = pattern ? share * layer.shape.taps() / variant.taps : share;
  return variant;
}

ir::Graph deployed_form(RunContext& run, const ir::Graph& graph, bool int8) {
  ir::Graph folded = ir::infer_shapes(ir::fold_batch_norm(graph));
  if (!int8) return folded;
  quantize::QuantizeConfig config;
  config.observer = "min_max";
  config.calibration_samples = 64;
  return ir::infer_shapes(quantize::bake_weights(
      ir::infer_shapes(quantize::insert_qdq(folded, calibrate(run, folded, config)))));
}

}  // namespace xgen::cli
