#pragma once

#include <vector>

namespace xgen::latency {

/// Minimises sum over rows of (rows[i] . x / targets[i] - 1)^2 for x >= 0: least squares of the
/// relative error.
///
/// @param rows     [samples][features], all of one length; targets above 0.
/// @return         one factor a feature; a feature which no row has gets 0.
/// Source: Lawson and Hanson, Solving Least Squares Problems, 1974, chapter 23 (active sets).
std::vector<double> fit_non_negative(const std::vector<std::vector<double>>& rows,
                                     const std::vector<double>& targets);

}  // namespace xgen::latency
