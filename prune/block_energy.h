#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "core/sparsity.h"

namespace xgen::prune {

/// The energy of single weights where nothing else is said: their squares, in double, so that the
/// order of magnitude of the weights does not matter.
inline std::vector<double> squares(std::span<const float> weight) {
  std::vector<double> energy;
  energy.reserve(weight.size());
  for (const float w : weight) energy.push_back(static_cast<double>(w) * static_cast<double>(w));
  return energy;
}

/// Sum of the energy of each tap over each block: row-major [groups, lanes, taps].
///
/// @param energy  row-major [c_out, c_in, kh, kw].
inline std::vector<double> block_energies(std::span<const double> energy, const WeightShape& shape,
                                          int group_out, int lane_channels) {
  const int taps = shape.taps();
  const int lanes = (shape.c_in + lane_channels - 1) / lane_channels;
  const int groups = (shape.c_out + group_out - 1) / group_out;
  XGEN_CHECK(energy.size() == static_cast<std::size_t>(shape.c_out) *
                                  static_cast<std::size_t>(shape.c_in * taps),
             energy.size(), " weights");
  std::vector<double> energies(static_cast<std::size_t>(groups) *
                               static_cast<std::size_t>(lanes * taps));
  std::size_t at = 0;
  for (int o = 0; o < shape.c_out; ++o) {
    for (int i = 0; i < shape.c_in; ++i) {
      const int block = o / group_out * lanes + i / lane_channels;
      for (int tap = 0; tap < taps; ++tap, ++at) {
        energies[static_cast<std::size_t>(block * taps + tap)] += energy[at];
      }
    }
  }
  return energies;
}

/// The first pattern with the most energy, and that energy.
struct BestPattern {
  std::int32_t index = 0;
  double energy = 0;
};
inline BestPattern best_pattern(std::span<const double> taps, const PatternSet& set) {
  BestPattern best;
  for (int p = 0; p < set.size(); ++p) {
    double energy = 0;
    for (std::size_t tap = 0; tap < taps.size(); ++tap) {
      if (set[p].keeps(static_cast<int>(tap))) energy += taps[tap];
    }
    if (p == 0 || energy > best.energy) best = {p, energy};
  }
  return best;
}

}  // namespace xgen::prune
