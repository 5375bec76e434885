#pragma once

#include <span>
#include <string>
#include <vector>

#include "prune/config.h"
#include "prune/constraint.h"
#include "prune/layers.h"

namespace xgen::prune {

/// What pruning has to know of a scheme: one file each in this folder.
struct SchemeRules {
  Sparsity::Scheme scheme;
  /// Why a layer that can be pruned cannot have it; empty where it can.
  std::string (*refusal)(const Layer& layer);
  /// The set for a layer whose MACs are divided by `rate` or a little more; patterns are not chosen
  /// yet. There is always one: a layer keeps what every group of filters needs.
  Constraint (*constraint)(const Layer& layer, double rate, const PruneConfig& config);
  /// On the way from everything that the scheme can keep (open 1) to `constraint` (open 0).
  Constraint (*relaxed)(const WeightShape& shape, Constraint constraint, double open);
  /// The share of the weights that it keeps, in (0, 1].
  double (*kept_share)(const WeightShape& shape, const Constraint& constraint);
  /// @param energy  of each weight, row-major [c_out, c_in, kh, kw]: what is to be kept most of.
  Sparsity (*project)(std::span<const double> energy, const WeightShape& shape,
                      const Constraint& constraint);
};

/// Of a scheme that a layer can be projected onto: pattern, block, nm, unstructured.
const SchemeRules& rules_of(Sparsity::Scheme scheme);

/// The last of the config's rules that names a layer; null when none does.
const LayerRule* rule_of(const Layer& layer, const PruneConfig& config);

/// The scheme of a layer: what its rule says; else the config's scheme, whose patterns other layers
/// than 3x3 convolutions replace by blocks. "auto" without a rule is "pattern".
///
/// @throws UserError when a rule names a scheme that the layer cannot have.
Sparsity::Scheme scheme_of(const Layer& layer, const PruneConfig& config);

/// @throws UserError when a rule matches none of the layers or only such as cannot be pruned, or
/// names a scheme that one that it matches cannot have.
void check_rules(const std::vector<Layer>& layers, const PruneConfig& config);

/// The mask of the constraint that keeps the most energy. Where energies are squares of weights,
/// that is the nearest point in Euclidean distance: what is dropped is the distance. Energies are
/// summed in double in a fixed order; ties go to the pattern and the block that come first. So the
/// result depends on the energies alone.
///
/// @param energy  row-major [c_out, c_in, kh, kw].
/// Source: PatDNN (arXiv:2001.00138), section 4.3, for groups of filters.
inline Sparsity project(std::span<const double> energy, const WeightShape& shape,
                        const Constraint& constraint) {
  return rules_of(constraint.scheme).project(energy, shape, constraint);
}

extern const SchemeRules kPatternRules, kBlockRules, kNmRules, kUnstructuredRules;

}  // namespace xgen::prune
