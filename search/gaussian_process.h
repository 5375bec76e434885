#pragma once

#include <vector>

namespace xgen::search {

/// Regression by a Gaussian process with the kernel exp(-d^2 / (2 l^2)) and noise, on values that
/// it brings to mean 0 and variance 1. Length scale and noise are those of a grid with the highest
/// marginal likelihood; the process's variance is the one that fits best.
///
/// Source: Rasmussen and Williams, Gaussian Processes for Machine Learning, 2006, algorithm 2.1.
class GaussianProcess {
 public:
  struct Belief {
    double mean = 0, deviation = 0;
  };

  /// @param square_distances  [samples][samples], symmetric, 0 on the diagonal.
  /// @param values            [samples], at least 1.
  GaussianProcess(const std::vector<std::vector<double>>& square_distances,
                  const std::vector<double>& values);

  /// @param square_distances  [samples], from what is asked about.
  Belief at(const std::vector<double>& square_distances) const;

 private:
  double offset_, scale_;
  double length_ = 1, variance_ = 1;
  std::vector<double> lower_;    // [samples][samples] by rows: Cholesky factor of kernel and noise
  std::vector<double> weights_;  // [samples]
};

/// How much less than `best` a value is expected to be that is believed to be so.
double expected_improvement(const GaussianProcess::Belief& belief, double best);

}  // namespace xgen::search
