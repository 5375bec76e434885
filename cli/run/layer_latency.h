#pragma once

#include "cli/run/run_context.h"
#include "core/latency_model.h"
#include "prune/layers.h"
#include "prune/plan.h"

namespace xgen::cli {

/// A prunable layer as latency models see it. @param graph  for one image.
LayerShape latency_shape(const ir::Graph& graph, const prune::Layer& layer, bool int8);
/// A layer under a constraint.
LayerVariant latency_variant(const prune::Layer& layer, const prune::Constraint& constraint);

/// The network as it will run, without training for it: BatchNorm folded, and with int8 quantized
/// by the extremes of a few images. For latency, not for accuracy.
ir::Graph deployed_form(RunContext& run, const ir::Graph& graph, bool int8);

}  // namespace xgen::cli
