#pragma once

#include "cli/run/run_samples.h"
#include "cli/run/sample_walk.h"
#include "prune/masks.h"
#include "prune/repair.h"
#include "train/graph_module.h"

namespace xgen::cli {

/// Some training images, to repair weights by.
SampleBatches repair_batches(const RunSamples& run, std::int64_t samples);

/// The least-squares equations of one layer over a walk's samples: what it reads in the first of
/// its networks, and what it computes in the last one, which may be the same. Goes from layer to
/// layer in the order of the graph.
/// @param layer    of the first network.
/// @param filters  of the last network's layer that the layer has; empty: all.
prune::Repair repair_equations(const ir::Node& layer, const WeightShape& shape, SampleWalk& walk,
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
