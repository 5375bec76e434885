#pragma once

#include "cli/run/run_samples.h"
#include "prune/masks.h"
#include "prune/repair.h"
#include "train/graph_module.h"

namespace xgen::cli {

/// The least-squares equations of one layer over training images: what it reads in `module`, and
/// what it computes in `dense`, which may be the same network.
/// @param filters  of the dense layer that the layer has; empty: all.
prune::Repair repair_equations(const RunSamples& run, const ir::Node& layer,
                               const WeightShape& shape, train::GraphModule& module,
                               train::GraphModule& dense, std::int64_t samples,
                               const std::vector<std::int64_t>& filters = {});

/// The layer's weight, as it is stored, with what is kept of it found anew.
torch::Tensor repaired_weight(const prune::Repair& repair, const torch::Tensor& weight,
                              const prune::LayerMask& mask);

/// Repairs the weights of a masked network, layer by layer in the order of the graph: each layer
/// reads what the repaired layers before it compute, and aims at what it computed in the dense
/// network. No labels, no training.
///
/// @param module  masked; its weights are changed.
/// @param dense   the network as it was.
void repair_weights(const RunSamples& run, train::GraphModule& module, train::GraphModule& dense,
                    const prune::MaskSet& masks, std::int64_t samples);

/// The same for a network that has lost channels: every layer makes up for those that it no longer
/// reads, as far as the others tell.
///
/// @param filters  that are left, by weight, of those that have lost some.
void repair_thinned(const RunSamples& run, train::GraphModule& module, train::GraphModule& dense,
                    const std::map<std::string, std::vector<std::int64_t>>& filters,
                    std::int64_t samples);

/// The node that reads a weight. @throws InternalError when there is none.
const ir::Node& layer_with(const ir::Graph& graph, const std::string& weight);

}  // namespace xgen::cli
