#include "codegen/latency/nnls.h"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>

#include "core/error.h"

namespace xgen::latency {

namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

/// Least squares on the features in `free`; the others are 0.
VectorXd solve_free(const MatrixXd& gram, const VectorXd& right, const std::vector<Index>& free) {
  const auto n = static_cast<Index>(free.size());
  MatrixXd a(n, n);
  VectorXd b(n);
  for (Index i = 0; i < n; ++i) {
    b(i) = right(free[static_cast<std::size_t>(i)]);
    for (Index j = 0; j < n; ++j)
      a(i, j) = gram(free[static_cast<std::size_t>(i)], free[static_cast<std::size_t>(j)]);
  }
  const VectorXd solution = a.completeOrthogonalDecomposition().solve(b);
  VectorXd x = VectorXd::Zero(gram.rows());
  for (Index i = 0; i < n; ++i) x(free[static_cast<std::size_t>(i)]) = solution(i);
  return x;
}

VectorXd lawson_hanson(const MatrixXd& gram, const VectorXd& right) {
  const Index features = gram.rows();
  const double tolerance = 1e-10 * std::max(1.0, right.cwiseAbs().maxCoeff());
  VectorXd x = VectorXd::Zero(features);
  std::vector<Index> free;
  // Each round frees one feature; the bound only guards against cycling by rounding.
  for (Index round = 0; round < 10 * features; ++round) {
    const VectorXd gradient = right - gram * x;
    Index best = -1;
    for (Index j = 0; j < features; ++j) {
      const bool is_free = std::find(free.begin(), free.end(), j) != free.end();
      if (!is_free && gradient(j) > tolerance && (best < 0 || gradient(j) > gradient(best)))
        best = j;
    }
    if (best < 0) break;
    free.push_back(best);
    VectorXd z = solve_free(gram, right, free);
    // Walks towards z until a feature becomes 0, which is fixed again.
    while (std::any_of(free.begin(), free.end(), [&](Index j) { return z(j) <= 0; })) {
      double step = 1;
      for (const Index j : free) {
        if (z(j) <= 0) step = std::min(step, x(j) / (x(j) - z(j) + 1e-300));
      }
      x += step * (z - x);
      std::erase_if(free, [&](Index j) { return x(j) <= 1e-14; });
      for (Index j = 0; j < features; ++j) {
        if (std::find(free.begin(), free.end(), j) == free.end()) x(j) = 0;
      }
      z = solve_free(gram, right, free);
    }
    x = z;
  }
  return x;
}

}  // namespace

std::vector<double> fit_non_negative(const std::vector<std::vector<double>>& rows,
                                     const std::vector<double>& targets, const Expected& expected) {
  XGEN_CHECK(rows.size() == targets.size() && !rows.empty(), rows.size(), " rows, ", targets.size(),
             " targets");
  const auto samples = static_cast<Index>(rows.size());
  const auto features = static_cast<Index>(rows[0].size());
  const auto of_expected = static_cast<Index>(expected.factors.size());
  XGEN_CHECK(of_expected == 0 || of_expected == features, of_expected, " expected factors of ",
             features);
  XGEN_CHECK(std::all_of(expected.factors.begin(), expected.factors.end(),
                         [](double factor) { return factor > 0; }),
             "an expected factor that is not above 0");
  MatrixXd a = MatrixXd::Zero(samples + of_expected, features);
  VectorXd right = VectorXd::Ones(samples + of_expected);
  for (Index i = 0; i < samples; ++i) {
    const auto& row = rows[static_cast<std::size_t>(i)];
    for (Index j = 0; j < features; ++j)
      a(i, j) = row[static_cast<std::size_t>(j)] / targets[static_cast<std::size_t>(i)];
  }
  for (Index j = 0; j < of_expected; ++j) {
    right(samples + j) = std::sqrt(expected.weight);
    a(samples + j, j) = right(samples + j) / expected.factors[static_cast<std::size_t>(j)];
  }
  // Columns of one size, so that the tolerance means the same for all.
  VectorXd scale(features);
  for (Index j = 0; j < features; ++j) {
    const double norm = a.col(j).norm();
    scale(j) = norm > 0 ? 1 / norm : 0;
    a.col(j) *= scale(j);
  }
  const VectorXd x = lawson_hanson(a.transpose() * a, a.transpose() * right);
  std::vector<double> factors(static_cast<std::size_t>(features));
  for (Index j = 0; j < features; ++j) factors[static_cast<std::size_t>(j)] = x(j) * scale(j);
  return factors;
}

}  // namespace xgen::latency
