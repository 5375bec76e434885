#include <algorithm>

#include "prune/schemes/blocks.h"
#include "prune/schemes/schemes.h"

/// 3x3 kernels of a group of filters share a pattern of taps per input lane, and whole lanes are
/// dropped (connectivity).
///
/// Source: PCONV (arXiv:1909.05073) and PatDNN (arXiv:2001.00138), there for single filters.
namespace xgen::prune {

namespace {

std::string refusal(const Layer& layer) {
  if (layer.shape.kh == 3 && layer.shape.kw == 3) return "";
  return str("patterns are of 3x3 kernels, and its kernel is ", layer.shape.kh, "x",
             layer.shape.kw);
}

Constraint constraint(const Layer& layer, double rate, const PruneConfig& config) {
  Constraint c = block_constraint(config);
  c.scheme = Sparsity::Scheme::pattern;
  c.patterns = {{Pattern{(std::uint64_t{1} << config.taps) - 1}}};
  const int groups = blocks_down(layer.shape, c);
  c.kept_blocks =
      std::max(groups, share_of(groups * blocks_across(layer.shape, c), 9.0 / config.taps / rate));
  return c;
}

Constraint relaxed(const WeightShape& shape, Constraint c, double open) {
  c.kept_blocks =
      relaxed_count(c.kept_blocks, blocks_down(shape, c) * blocks_across(shape, c), open);
  return c;
}

double kept_share(const WeightShape& shape, const Constraint& c) {
  const double blocks = static_cast<double>(blocks_down(shape, c)) * blocks_across(shape, c);
  return std::min(1.0, c.kept_blocks / blocks * c.patterns.taps() / shape.taps());
}

}  // namespace

const SchemeRules kPatternRules{
    Sparsity::Scheme::pattern, refusal, constraint, relaxed, kept_share, project_blocks};

}  // namespace xgen::prune
