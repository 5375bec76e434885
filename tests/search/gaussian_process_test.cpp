#include "search/gaussian_process.h"

#include <gtest/gtest.h>

#include <cmath>

namespace xgen::search {
namespace {

// On a line of length 1.
struct OnALine {
  std::vector<double> x, y;

  std::vector<double> distances(double from) const {
    std::vector<double> all;
    for (const double to : x) all.push_back((from - to) * (from - to));
    return all;
  }
  GaussianProcess process() const {
    std::vector<std::vector<double>> all;
    for (const double from : x) all.push_back(distances(from));
    return {all, y};
  }
};

TEST(GaussianProcess, PredictsASmoothFunctionBetweenItsSamples) {
  OnALine line;
  for (int i = 0; i <= 10; ++i) {
    line.x.push_back(0.1 * i);
    line.y.push_back(100 + 5 * std::sin(6 * line.x.back()));
  }
  const GaussianProcess process = line.process();
  for (const double x : {0.05, 0.33, 0.77}) {
    const GaussianProcess::Belief belief = process.at(line.distances(x));
    EXPECT_NEAR(belief.mean, 100 + 5 * std::sin(6 * x), 0.1);
    EXPECT_LT(belief.deviation, 0.5);
  }
  // Far away it knows no more than the mean and the spread of all.
  const GaussianProcess::Belief far = process.at(line.distances(100));
  EXPECT_NEAR(far.mean, 100 + 5 * 0.18, 1.5);
  EXPECT_GT(far.deviation, 2);
}

TEST(GaussianProcess, BelievesOneSample) {
  const OnALine line{{0}, {7}};
  EXPECT_NEAR(line.process().at(line.distances(0)).mean, 7, 1e-9);
}

TEST(GaussianProcess, TakesSamplesAtOnePlaceWithDifferentValues) {
  const OnALine line{{0, 0, 1}, {1, 3, 10}};
  EXPECT_NEAR(line.process().at(line.distances(0)).mean, 2, 0.2);
}

TEST(ExpectedImprovement, IsWhatIntegrationGives) {
  // E max(0, best - v), v ~ N(mean, deviation), by the middle of many slices.
  const GaussianProcess::Belief belief{2, 0.5};
  double sum = 0;
  const double step = 1e-3;
  for (double z = -8; z < 8; z += step) {
    const double v = belief.mean + belief.deviation * (z + step / 2);
    sum += std::max(0.0, 1.8 - v) * std::exp(-0.5 * (z + step / 2) * (z + step / 2)) * step /
           std::sqrt(2 * std::acos(-1.0));
  }
  EXPECT_NEAR(expected_improvement(belief, 1.8), sum, 1e-6);
}

}  // namespace
}  // namespace xgen::search
