#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "prune/config.h"
#include "prune/constraint.h"
#include "prune/layers.h"

namespace xgen::prune {

/// One layer that will be pruned, and what its weights are projected onto.
struct PlannedLayer {
  std::string weight;  ///< name of the weight's value.
  WeightShape shape;
  bool transposed = false;  ///< stored as [c_in, c_out].
  Constraint constraint;
};

/// The weight of a layer, row-major as it is stored.
using WeightReader = std::function<std::vector<float>(const std::string& name)>;
WeightReader reader_of(const ir::Graph& graph);  ///< of the constants; `graph` outlives it.

/// Stored order to row-major [c_out, c_in, kh, kw].
std::vector<float> to_logical(std::vector<float> stored, const WeightShape& shape, bool transposed);

/// Scheme and what is kept of a layer whose MACs are divided by `rate` or a little more; the
/// patterns are not chosen yet. A pattern layer divides by 9 / taps at least.
Constraint constraint_of(const Layer& layer, double rate, const PruneConfig& config);

/// The dense MACs of `layer` that are left under `constraint`.
std::int64_t kept_macs(const Layer& layer, const Constraint& constraint);

/// Fixes constraint and pattern set of every layer with a rate above 1, from the weights as they
/// are.
///
/// @param rates  by name of the weight; a layer that is absent stays dense.
std::vector<PlannedLayer> plan(const std::vector<Layer>& layers,
                               const std::map<std::string, double>& rates,
                               const PruneConfig& config, const WeightReader& weights);

}  // namespace xgen::prune
