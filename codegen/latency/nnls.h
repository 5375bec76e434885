#pragma once

#include <vector>

namespace xgen::latency {

/// What factors are expected to be; they stay so where rows do not tell.
struct Expected {
  std::vector<double> factors;  ///< above 0; none: nothing is expected.
  double weight = 0;            ///< of each: that of a row which is made by it alone is 1.
};

/// Minimises sum over rows of (rows[i] . x / targets[i] - 1)^2 for x >= 0, least squares of the
/// relative error, plus weight * (x[j] / expected[j] - 1)^2 for each factor.
///
/// @param rows     [samples][features], all of one length; targets above 0.
/// @return         one factor a feature; what no row has and nothing is expected of gets 0.
/// Source: Lawson and Hanson, Solving Least Squares Problems, 1974, chapter 23 (active sets).
std::vector<double> fit_non_negative(const std::vector<std::vector<double>>& rows,
                                     const std::vector<double>& targets,
                                     const Expected& expected = {});

}  // namespace xgen::latency
