#include "prune/plan.h"

#include <algorithm>
#include <cmath>

#include "prune/patterns.h"

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
  const bool pattern = config.scheme == "pattern" && layer.shape.kh == 3 && layer.shape.kw == 3;
  Constraint constraint;
  constraint.scheme = pattern ? Sparsity::Scheme::pattern : Sparsity::Scheme::block;
  constraint.group_out = config.filters_per_group();
  constraint.lane_channels = config.lane_channels();
  const int groups = (layer.shape.c_out + constraint.group_out - 1) / constraint.group_out;
  const int lanes = (layer.shape.c_in + constraint.lane_channels - 1) / constraint.lane_channels;
  const double from_patterns = pattern ? 9.0 / config.taps : 1;
  const double share = std::min(1.0, from_patterns / rate);
  // The small number keeps 1 / 4 of 8 blocks at 2 whatever the last bit of the division is.
  constraint.kept_blocks =
      std::max(groups, static_cast<int>(std::floor(share * groups * lanes + 1e-6)));
  if (!pattern)
    constraint.patterns = all_taps(layer.shape);
  else
    constraint.patterns = {{Pattern{(std::uint64_t{1} << config.taps) - 1}}};
  return constraint;
}

std::int64_t kept_macs(const Layer& layer, const Constraint& constraint) {
  const int groups = (layer.shape.c_out + constraint.group_out - 1) / constraint.group_out;
  const int lanes = (layer.shape.c_in + constraint.lane_channels - 1) / constraint.lane_channels;
  const double share = static_cast<double>(constraint.kept_blocks) / (groups * lanes) *
                       constraint.patterns.taps() / layer.shape.taps();
  return std::llround(static_cast<double>(layer.macs) * std::min(share, 1.0));
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
          choose_patterns(logical, layer.shape, target.constraint.group_out,
                          target.constraint.lane_channels, config.taps, config.patterns);
    }
    targets.push_back(std::move(target));
  }
  return targets;
}

}  // namespace xgen::prune
