#include <algorithm>

#include "prune/schemes/blocks.h"
#include "prune/schemes/schemes.h"

/// Single weights. No kernel skips them: such a layer is trained and exported with its zeros, and
/// compiled dense.
namespace xgen::prune {

namespace {

std::string refusal(const Layer& /*layer*/) { return ""; }

Constraint constraint(const Layer& layer, double rate, const PruneConfig& /*config*/) {
  Constraint c;
  c.scheme = Sparsity::Scheme::unstructured;
  c.group_out = c.lane_channels = 1;
  const int weights = layer.shape.c_out * layer.shape.c_in * layer.shape.taps();
  c.kept_blocks = std::max(1, share_of(weights, 1 / rate));
  return c;
}

double kept_share(const WeightShape& shape, const Constraint& c) {
  const double weights = static_cast<double>(shape.c_out) * shape.c_in * shape.taps();
  return std::min(1.0, c.kept_blocks / weights);
}

Constraint relaxed(const WeightShape& shape, Constraint c, double open) {
  c.kept_blocks = relaxed_count(c.kept_blocks, shape.c_out * shape.c_in * shape.taps(), open);
  return c;
}

Sparsity project_single(std::span<const double> energy, const WeightShape& shape,
                        const Constraint& c) {
  const KeptTaps kernels = patterns_of(most_energy(energy, 1, c.kept_blocks), shape.taps());
  return {c.scheme, 1, 1, kernels.patterns, kernels.kept};
}

}  // namespace

const SchemeRules kUnstructuredRules{
    Sparsity::Scheme::unstructured, refusal, constraint, relaxed, kept_share, project_single};

}  // namespace xgen::prune
