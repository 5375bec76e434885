#pragma once

#include <vector>

#include "search/space.h"

namespace xgen::search {

/// How much each parameter of a space decides whether a candidate is among the best tenth of those
/// that were tried: the Pearson divergence between the choices that the best tenth take and those
/// that all of them take, as shares that sum to 1.
///
/// The best tenth is rounded up, with all that are as good as the last of it. Choices are counted
/// with one further trial, spread over all of them, so that a choice that nobody took has a chance.
/// A parameter with one choice decides nothing; where nothing tells the others apart (no trial, or
/// all equally good) they have equal shares.
///
/// @param points  [trials], of the space.
/// @param values  [trials], smaller is better, finite.
/// @return        [parameters]
///
/// Source: PED-ANOVA, Watanabe et al., IJCAI 2023 (arXiv:2304.10255), over the trials rather than
/// over the space ("local"), with the estimator and the constants of Optuna 5.
std::vector<double> importance(const Space& space, const std::vector<Point>& points,
                               const std::vector<double>& values);

}  // namespace xgen::search
