#include "prune/plan.h"

#include <cmath>

#include "prune/block_energy.h"
#include "prune/patterns.h"
#include "prune/schemes/schemes.h"

namespace xgen::prune {

WeightReader reader_of(const ir::Graph& graph) {
  return [&graph](const std::string& name) {
    const ir::Constant* constant = graph.constant(graph.find(name));
    XGEN_CHECK(constant != nullptr, "no constant \"", name, "\"");
    const auto values = constant->as<float>();
    return std::vector<float>(values.begin(), values.end());
  };
}

std::vector<float> to_logical(std::vector<float> stored, const WeightShape& shape,
                              bool transposed) {
  if (!transposed) return stored;
  std::vector<float> logical(stored.size());
  const auto c_out = static_cast<std::size_t>(shape.c_out);
  const auto c_in = static_cast<std::size_t>(shape.c_in);
  for (std::size_t o = 0; o < c_out; ++o) {
    for (std::size_t i = 0; i < c_in; ++i) logical[o * c_in + i] = stored[i * c_out + o];
  }
  return logical;
}

Constraint constraint_of(const Layer& layer, double rate, const PruneConfig& config) {
  return rules_of(scheme_of(layer, config)).constraint(layer, rate, config);
}

std::int64_t kept_macs(const Layer& layer, const Constraint& constraint) {
  const double share = rules_of(constraint.scheme).kept_share(layer.shape, constraint);
  return std::llround(static_cast<double>(layer.macs) * share);
}

std::vector<PlannedLayer> plan(const std::vector<Layer>& layers,
                               const std::map<std::string, double>& rates,
                               const PruneConfig& config, const WeightReader& weights) {
  std::vector<PlannedLayer> targets;
  for (const Layer& layer : layers) {
    const auto rate = rates.find(layer.weight);
    if (rate == rates.end() || rate->second <= 1) continue;
    XGEN_CHECK(layer.prunable, "a rate for ", layer.node, ", which stays dense: ", layer.reason);
    PlannedLayer target{layer.weight, layer.shape, layer.transposed,
                        constraint_of(layer, rate->second, config)};
    if (target.constraint.scheme == Sparsity::Scheme::pattern) {
      const auto logical = to_logical(weights(layer.weight), layer.shape, layer.transposed);
      target.constraint.patterns =
          choose_patterns(squares(logical), layer.shape, target.constraint.group_out,
                          target.constraint.lane_channels, config.taps, config.patterns);
    }
    targets.push_back(std::move(target));
  }
  return targets;
}

}  // namespace xgen::prune
