#include "prune/schemes/blocks.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "prune/block_energy.h"

namespace xgen::prune {

int blocks_down(const WeightShape& shape, const Constraint& c) {
  return (shape.c_out + c.group_out - 1) / c.group_out;
}

int blocks_across(const WeightShape& shape, const Constraint& c) {
  const int channels = c.lane_channels * c.block_lanes;
  return (shape.c_in + channels - 1) / channels;
}

Constraint block_constraint(const PruneConfig& config) {
  Constraint c;
  c.group_out = config.group_out;
  c.lane_channels = config.lane_channels();
  return c;
}

int relaxed_count(int kept, int units, double open) {
  return kept + static_cast<int>(std::lround(open * (units - kept)));
}

int share_of(int units, double share) {
  return static_cast<int>(std::floor(std::min(1.0, share) * units + 1e-6));
}

std::vector<std::uint8_t> most_energy(std::span<const double> energies, std::size_t groups,
                                      std::int64_t wanted) {
  const std::size_t part = energies.size() / groups;
  const auto more = [&](std::size_t a, std::size_t b) {
    return energies[a] != energies[b] ? energies[a] > energies[b] : a < b;
  };
  std::vector<std::uint8_t> kept(energies.size(), 0);
  std::vector<std::size_t> others;
  for (std::size_t group = 0; group < groups; ++group) {
    std::size_t first = group * part;
    for (std::size_t i = first + 1; i < (group + 1) * part; ++i) {
      if (more(i, first)) first = i;
    }
    kept[first] = 1;
    for (std::size_t i = group * part; i < (group + 1) * part; ++i) {
      if (i != first) others.push_back(i);
    }
  }
  std::sort(others.begin(), others.end(), more);
  const std::int64_t left = std::max<std::int64_t>(0, wanted - static_cast<std::int64_t>(groups));
  for (std::size_t i = 0; i < std::min(static_cast<std::size_t>(left), others.size()); ++i)
    kept[others[i]] = 1;
  return kept;
}

Sparsity project_blocks(std::span<const double> energy, const WeightShape& shape,
                        const Constraint& c) {
  XGEN_CHECK(c.patterns.size() > 0, "a constraint without patterns");
  const auto taps = static_cast<std::size_t>(shape.taps());
  const std::vector<double> energies =
      block_energies(energy, shape, c.group_out, c.lane_channels * c.block_lanes);
  std::vector<double> of_best;
  std::vector<std::int32_t> blocks;
  for (std::size_t at = 0; at < energies.size(); at += taps) {
    const BestPattern best = best_pattern({energies.data() + at, taps}, c.patterns);
    of_best.push_back(best.energy);
    blocks.push_back(best.index);
  }
  const std::vector<std::uint8_t> kept =
      most_energy(of_best, static_cast<std::size_t>(blocks_down(shape, c)), c.kept_blocks);
  for (std::size_t block = 0; block < blocks.size(); ++block) {
    if (kept[block] == 0) blocks[block] = Sparsity::kNone;
  }
  return {c.scheme, c.group_out, c.lane_channels, c.patterns, spread_over_lanes(blocks, shape, c)};
}

std::vector<std::int32_t> spread_over_lanes(const std::vector<std::int32_t>& blocks,
                                            const WeightShape& shape, const Constraint& c) {
  const int across = blocks_across(shape, c);
  const int lanes = (shape.c_in + c.lane_channels - 1) / c.lane_channels;
  std::vector<std::int32_t> kept;
  for (int group = 0; group < blocks_down(shape, c); ++group) {
    for (int lane = 0; lane < lanes; ++lane)
      kept.push_back(blocks[static_cast<std::size_t>(group * across + lane / c.block_lanes)]);
  }
  return kept;
}

KeptTaps patterns_of(const std::vector<std::uint8_t>& kept, int taps) {
  KeptTaps result;
  std::map<std::uint64_t, std::int32_t> known;
  for (std::size_t at = 0; at < kept.size(); at += static_cast<std::size_t>(taps)) {
    Pattern pattern;
    for (int tap = 0; tap < taps; ++tap)
      pattern.bits |= std::uint64_t{kept[at + static_cast<std::size_t>(tap)]} << tap;
    if (pattern.bits == 0) {
      result.kept.push_back(Sparsity::kNone);
      continue;
    }
    const auto [found, is_new] = known.emplace(pattern.bits, result.patterns.size());
    if (is_new) result.patterns.patterns.push_back(pattern);
    result.kept.push_back(found->second);
  }
  return result;
}

}  // namespace xgen::prune
