#include <algorithm>
#include <numeric>

#include "prune/block_energy.h"
#include "prune/schemes/blocks.h"
#include "prune/schemes/schemes.h"

/// N:M: of every `run_lanes` input lanes in a row, `live_lanes` live, the same ones for a group of
/// filters. What lives is spread evenly, so that every group has the same work.
///
/// Source: Mishra et al., arXiv:2104.08378 (2:4), there for single weights.
namespace xgen::prune {

namespace {

std::string refusal(const Layer& /*layer*/) { return ""; }

// Lanes that live of a run; the last run may be shorter.
int live_in(const Constraint& c, int run) {
  return std::max(1, (c.live_lanes * run + c.run_lanes - 1) / c.run_lanes);
}

Constraint constraint(const Layer& layer, double rate, const PruneConfig& config) {
  Constraint c = block_constraint(config);
  c.scheme = Sparsity::Scheme::nm;
  c.patterns = all_taps(layer.shape);
  c.run_lanes = std::min(config.nm_lanes, blocks_across(layer.shape, c));
  c.live_lanes = std::max(1, share_of(c.run_lanes, 1 / rate));
  return c;
}

double kept_share(const WeightShape& shape, const Constraint& c) {
  const int lanes = blocks_across(shape, c);
  int live = 0;
  for (int lane = 0; lane < lanes; lane += c.run_lanes)
    live += live_in(c, std::min(c.run_lanes, lanes - lane));
  return static_cast<double>(live) / lanes;
}

Constraint relaxed(const WeightShape& /*shape*/, Constraint c, double open) {
  c.live_lanes = relaxed_count(c.live_lanes, c.run_lanes, open);
  return c;
}

Sparsity project_runs(std::span<const double> energy, const WeightShape& shape,
                      const Constraint& c) {
  const auto taps = static_cast<std::size_t>(shape.taps());
  const std::vector<double> energies = block_energies(energy, shape, c.group_out, c.lane_channels);
  const int lanes = blocks_across(shape, c);
  Sparsity sparsity{c.scheme, c.group_out, c.lane_channels, c.patterns, {}};
  sparsity.kept.assign(energies.size() / taps, Sparsity::kNone);
  for (int group = 0; group < blocks_down(shape, c); ++group) {
    for (int lane = 0; lane < lanes; lane += c.run_lanes) {
      const int run = std::min(c.run_lanes, lanes - lane);
      const auto first = static_cast<std::size_t>(group * lanes + lane);
      std::vector<double> of_lane;
      for (std::size_t i = first; i < first + static_cast<std::size_t>(run); ++i) {
        const auto begin = energies.begin() + static_cast<std::ptrdiff_t>(i * taps);
        of_lane.push_back(std::accumulate(begin, begin + static_cast<std::ptrdiff_t>(taps), 0.0));
      }
      const std::vector<std::uint8_t> kept = most_energy(of_lane, 1, live_in(c, run));
      for (std::size_t i = 0; i < kept.size(); ++i) {
        if (kept[i] != 0) sparsity.kept[first + i] = 0;
      }
    }
  }
  return sparsity;
}

}  // namespace

const SchemeRules kNmRules{Sparsity::Scheme::nm, refusal,     constraint, relaxed,
                           kept_share,           project_runs};

}  // namespace xgen::prune
