#include "search/gaussian_process.h"

#include <Eigen/Cholesky>
#include <Eigen/Core>
#include <cmath>
#include <limits>
#include <numbers>
#include <optional>

#include "core/error.h"

namespace xgen::search {

namespace {

// Distances are those between unit vectors, at most sqrt(2).
constexpr double kLengths[] = {0.1, 0.2, 0.4, 0.8, 1.6};
// Of the variance: what trains twice ends 0.1 to 0.3 points apart.
constexpr double kNoises[] = {1e-3, 1e-2, 5e-2};
constexpr double kLeastVariance = 1e-12;

double kernel(double square_distance, double length) {
  return std::exp(-square_distance / (2 * length * length));
}

struct Fit {
  double likelihood = -std::numeric_limits<double>::infinity();
  double length = 0, variance = 0;
  Eigen::MatrixXd lower;
  Eigen::VectorXd weights;
};

std::optional<Fit> fit(const std::vector<std::vector<double>>& square_distances,
                       const Eigen::VectorXd& values, double length, double noise) {
  const auto n = values.size();
  Eigen::MatrixXd covariance(n, n);
  for (Eigen::Index i = 0; i < n; ++i) {
    for (Eigen::Index j = 0; j < n; ++j)
      covariance(i, j) = kernel(
          square_distances[static_cast<std::size_t>(i)][static_cast<std::size_t>(j)], length);
    covariance(i, i) += noise;
  }
  const Eigen::LLT<Eigen::MatrixXd> factor(covariance);
  if (factor.info() != Eigen::Success) return std::nullopt;
  Fit result;
  result.length = length;
  result.weights = factor.solve(values);
  result.lower = factor.matrixL();
  result.variance = std::max(kLeastVariance, values.dot(result.weights) / static_cast<double>(n));
  result.likelihood = -0.5 * static_cast<double>(n) * std::log(result.variance) -
                      result.lower.diagonal().array().log().sum();
  return result;
}

}  // namespace

GaussianProcess::GaussianProcess(const std::vector<std::vector<double>>& square_distances,
                                 const std::vector<double>& values) {
  XGEN_CHECK(!values.empty() && square_distances.size() == values.size(), values.size(),
             " values of ", square_distances.size(), " samples");
  Eigen::VectorXd y =
      Eigen::Map<const Eigen::VectorXd>(values.data(), static_cast<Eigen::Index>(values.size()));
  offset_ = y.mean();
  y.array() -= offset_;
  const double deviation = std::sqrt(y.squaredNorm() / static_cast<double>(y.size()));
  scale_ = deviation > 0 ? deviation : 1;
  y /= scale_;
  Fit best;
  for (const double length : kLengths) {
    for (const double noise : kNoises) {
      std::optional<Fit> tried = fit(square_distances, y, length, noise);
      if (tried && tried->likelihood > best.likelihood) best = std::move(*tried);
    }
  }
  XGEN_CHECK(best.length > 0, "no kernel of ", values.size(), " samples is positive definite");
  length_ = best.length;
  variance_ = best.variance;
  for (Eigen::Index i = 0; i < y.size(); ++i) {
    for (Eigen::Index j = 0; j < y.size(); ++j) lower_.push_back(best.lower(i, j));
  }
  weights_.assign(best.weights.data(), best.weights.data() + best.weights.size());
}

GaussianProcess::Belief GaussianProcess::at(const std::vector<double>& square_distances) const {
  using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  const auto n = static_cast<Eigen::Index>(weights_.size());
  XGEN_CHECK(square_distances.size() == weights_.size(), square_distances.size(), " distances to ",
             weights_.size(), " samples");
  Eigen::VectorXd k(n);
  for (Eigen::Index i = 0; i < n; ++i)
    k(i) = kernel(square_distances[static_cast<std::size_t>(i)], length_);
  const Eigen::Map<const Eigen::VectorXd> weights(weights_.data(), n);
  const Eigen::Map<const RowMajor> lower(lower_.data(), n, n);
  const double mean = k.dot(weights);
  const double left = 1 - lower.triangularView<Eigen::Lower>().solve(k).squaredNorm();
  return {offset_ + scale_ * mean, scale_ * std::sqrt(variance_ * std::max(kLeastVariance, left))};
}

double expected_improvement(const GaussianProcess::Belief& belief, double best) {
  const double z = (best - belief.mean) / belief.deviation;
  const double below = 0.5 * std::erfc(-z / std::numbers::sqrt2);
  const double density = std::exp(-0.5 * z * z) / std::sqrt(2 * std::numbers::pi);
  return belief.deviation * (z * below + density);
}

}  // namespace xgen::search
