#include "prune/patterns.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include "prune/block_energy.h"

namespace xgen::prune {

PatternSet centred_patterns(int taps) {
  constexpr std::uint64_t kCentre = 0b000'010'000;
  XGEN_CHECK(taps >= 1 && taps <= 9, taps, " taps");
  PatternSet set;
  for (std::uint64_t bits = 0; bits < 512; ++bits) {
    const Pattern pattern{bits};
    if ((bits & kCentre) != 0 && pattern.size() == taps) set.patterns.push_back(pattern);
  }
  return set;
}

PatternSet choose_patterns(std::span<const double> energy, const WeightShape& shape, int group_out,
                           int lane_channels, int taps, int count) {
  XGEN_CHECK(shape.kh == 3 && shape.kw == 3, "patterns of a ", shape.kh, "x", shape.kw, " kernel");
  const PatternSet candidates = centred_patterns(taps);
  const std::vector<double> energies = block_energies(energy, shape, group_out, lane_channels);
  std::vector<int> votes(candidates.patterns.size());
  for (std::size_t block = 0; block < energies.size(); block += 9) {
    const std::span<const double> taps_of_block{energies.data() + block, 9};
    // A block that was dropped before has no wish: else it could vote out what others use.
    if (std::all_of(taps_of_block.begin(), taps_of_block.end(), [](double e) { return e == 0; }))
      continue;
    const auto winner = best_pattern(taps_of_block, candidates).index;
    ++votes[static_cast<std::size_t>(winner)];
  }
  std::vector<std::size_t> order(votes.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return votes[a] > votes[b]; });
  PatternSet set;
  for (const std::size_t candidate : order) {
    if (set.size() == count || votes[candidate] == 0) break;
    set.patterns.push_back(candidates.patterns[candidate]);
  }
  if (set.patterns.empty()) set.patterns.push_back(candidates.patterns.front());
  return set;
}

}  // namespace xgen::prune
