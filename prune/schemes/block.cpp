#include <algorithm>

#include "prune/block_energy.h"
#include "prune/schemes/blocks.h"
#include "prune/schemes/schemes.h"

/// Blocks of group_out filters x block_lanes input lanes: dropped as a whole, or punched: each
/// block keeps some taps, the same in all its kernels.
///
/// Sources: GRIM (arXiv:2108.11033) for blocks as a whole; YOLObile (arXiv:2009.05697) for punched
/// ones.
namespace xgen::prune {

namespace {

// Blocks, or where they are punched the taps of all of them.
int units_of(const WeightShape& shape, const Constraint& c) {
  return blocks_down(shape, c) * blocks_across(shape, c) * (c.punched ? shape.taps() : 1);
}

std::string refusal(const Layer& /*layer*/) { return ""; }

Constraint constraint(const Layer& layer, double rate, const PruneConfig& config) {
  Constraint c = block_constraint(config);
  c.patterns = all_taps(layer.shape);
  c.block_lanes = config.block_lanes;
  const int groups = blocks_down(layer.shape, c);
  const LayerRule* rule = rule_of(layer, config);
  c.punched = (rule != nullptr ? rule->punched : config.punched) && layer.shape.taps() > 1;
  c.kept_blocks = std::max(groups, share_of(units_of(layer.shape, c), 1 / rate));
  return c;
}

double kept_share(const WeightShape& shape, const Constraint& c) {
  return std::min(1.0, static_cast<double>(c.kept_blocks) / units_of(shape, c));
}

Constraint relaxed(const WeightShape& shape, Constraint c, double open) {
  c.kept_blocks = relaxed_count(c.kept_blocks, units_of(shape, c), open);
  return c;
}

// The kept_blocks taps of blocks with the most energy, the best one of each group first.
Sparsity project_punched(std::span<const double> energy, const WeightShape& shape,
                         const Constraint& c) {
  const std::vector<double> energies =
      block_energies(energy, shape, c.group_out, c.lane_channels * c.block_lanes);
  const KeptTaps blocks = patterns_of(
      most_energy(energies, static_cast<std::size_t>(blocks_down(shape, c)), c.kept_blocks),
      shape.taps());
  return {c.scheme, c.group_out, c.lane_channels, blocks.patterns,
          spread_over_lanes(blocks.kept, shape, c)};
}

Sparsity project_any(std::span<const double> energy, const WeightShape& shape,
                     const Constraint& c) {
  return c.punched ? project_punched(energy, shape, c) : project_blocks(energy, shape, c);
}

}  // namespace

const SchemeRules kBlockRules{
    Sparsity::Scheme::block, refusal, constraint, relaxed, kept_share, project_any};

}  // namespace xgen::prune
