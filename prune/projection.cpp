#include "prune/projection.h"

#include <algorithm>
#include <numeric>

#include "prune/block_energy.h"

namespace xgen::prune {

PatternSet all_taps(const WeightShape& shape) {
  XGEN_CHECK(shape.taps() >= 1 && shape.taps() <= 64, shape.taps(), " taps");
  return {{Pattern{~std::uint64_t{0} >> (64 - shape.taps())}}};
}

Sparsity project(std::span<const float> weight, const WeightShape& shape,
                 const Constraint& constraint) {
  XGEN_CHECK(constraint.patterns.size() > 0, "a constraint without patterns");
  Sparsity sparsity{
      constraint.scheme, constraint.group_out, constraint.lane_channels, constraint.patterns, {}};
  const auto taps = static_cast<std::size_t>(shape.taps());
  const auto lanes = static_cast<std::size_t>(shape.lanes(sparsity));
  const auto groups = static_cast<std::size_t>(shape.groups(sparsity));
  const std::vector<double> energies =
      block_energies(weight, shape, constraint.group_out, constraint.lane_channels);

  std::vector<BestPattern> best(groups * lanes);
  for (std::size_t block = 0; block < best.size(); ++block) {
    best[block] = best_pattern({energies.data() + block * taps, taps}, constraint.patterns);
  }
  const auto more_energy = [&](std::size_t a, std::size_t b) {
    return best[a].energy != best[b].energy ? best[a].energy > best[b].energy : a < b;
  };
  sparsity.kept.assign(best.size(), Sparsity::kNone);
  std::vector<std::size_t> others;
  for (std::size_t group = 0; group < groups; ++group) {
    std::size_t first = group * lanes;
    for (std::size_t block = first + 1; block < (group + 1) * lanes; ++block) {
      if (more_energy(block, first)) first = block;
    }
    sparsity.kept[first] = best[first].index;
    for (std::size_t block = group * lanes; block < (group + 1) * lanes; ++block) {
      if (block != first) others.push_back(block);
    }
  }
  std::sort(others.begin(), others.end(), more_energy);
  const auto wanted = static_cast<std::size_t>(std::max(constraint.kept_blocks, 0));
  const std::size_t more = std::min(wanted - std::min(wanted, groups), others.size());
  for (std::size_t i = 0; i < more; ++i) sparsity.kept[others[i]] = best[others[i]].index;
  return sparsity;
}

}  // namespace xgen::prune
