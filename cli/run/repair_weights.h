#pragma once

#include "cli/run/run_context.h"
#include "prune/masks.h"
#include "prune/repair.h"

namespace xgen::cli {

/// The least-squares equations of one layer over training images: what it reads in `module`, and
/// what it computes in `dense`, which may be the same network.
prune::Repair repair_equations(RunContext& run, const ir::Node& layer, const WeightShape& shape,
                               train::GraphModule& module, train::GraphModule& dense,
                               std::int64_t samples);

/// The layer's weight, as it is stored, with what is kept of it found anew.
torch::Tensor repaired_weight(const prune::Repair& repair, const torch::Tensor& weight,
                              const prune::LayerMask& mask);

/// Repairs the weights of a masked network, layer by layer in the order of the graph: each layer
/// reads what the repaired layers before it compute, and aims at what it computed in the dense
/// network. No labels, no training.
///
/// @param module  masked; its weights are changed.
/// @param dense   the network as it was.
void repair_weights(RunContext& run, train::GraphModule& module, train::GraphModule& dense,
                    const prune::MaskSet& masks, std::int64_t samples);

/// The node that reads a weight. @throws InternalError when there is none.
const ir::Node& layer_with(const ir::Graph& graph, const std::string& weight);

}  // namespace xgen::cli
