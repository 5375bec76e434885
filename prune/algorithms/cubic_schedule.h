#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "prune/plan.h"
#include "prune/schemes/schemes.h"

namespace xgen::prune {

/// The share of what will be dropped that still lives after `step` of `steps`: it falls from 1 to
/// 0, fast at first and slower towards the end; the last quarter of the steps trains what is left.
///
/// Source: Zhu and Gupta, arXiv:1710.01878, equation 1.
inline double cubic_open_share(std::int64_t step, std::int64_t steps) {
  constexpr double kPruningShare = 0.75;
  const double done = static_cast<double>(step) / (kPruningShare * static_cast<double>(steps));
  return std::pow(1 - std::min(1.0, done), 3);
}

/// Layers with constraints that let so much more live.
inline std::vector<PlannedLayer> relaxed(std::vector<PlannedLayer> layers, double open) {
  for (PlannedLayer& layer : layers)
    layer.constraint =
        rules_of(layer.constraint.scheme).relaxed(layer.shape, layer.constraint, open);
  return layers;
}

}  // namespace xgen::prune
