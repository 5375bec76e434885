#pragma once

#include <vector>

namespace xgen::search {

/// Spearman's rho: the correlation of ranks, in [-1, 1]. Equal values share the mean of their
/// ranks; infinities are ranked like other values.
///
/// @return NaN where all of `a` or all of `b` are equal.
/// @throws InternalError unless `a` and `b` are equally long, at least 2, and without NaN.
///
/// Source: Spearman, "The proof and measurement of association between two things", 1904.
double spearman_rho(const std::vector<double>& a, const std::vector<double>& b);

/// Kendall's tau-b: (concordant - discordant) / sqrt((pairs - ties in a) (pairs - ties in b)), in
/// [-1, 1], over all pairs i < j. Takes a time of n^2.
///
/// @return NaN where all of `a` or all of `b` are equal.
/// @throws InternalError as spearman_rho() does.
///
/// Source: Kendall, "The treatment of ties in ranking problems", Biometrika 33, 1945.
double kendall_tau_b(const std::vector<double>& a, const std::vector<double>& b);

}  // namespace xgen::search
