#include "search/importance.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/error.h"

namespace xgen::search {

namespace {

constexpr double kShare = 0.1;  // of the trials, that are the best
constexpr double kPrior = 1;    // trials that are added, spread over all choices

// How likely each choice is among the trials that `counted` marks: a Parzen estimator, whose
// kernels give every choice a little besides the one that was taken.
std::vector<double> density(std::size_t choices, const std::vector<Point>& points,
                            const std::vector<bool>& counted, std::size_t parameter) {
  std::vector<double> counts(choices, 0.0);
  for (std::size_t i = 0; i < points.size(); ++i) {
    if (counted[i]) ++counts[static_cast<std::size_t>(points[i][parameter])];
  }
  const double total = std::accumulate(counts.begin(), counts.end(), 0.0);
  const auto taken = std::count_if(counts.begin(), counts.end(), [](double n) { return n > 0; });
  const double spread = kPrior / static_cast<double>(taken + 1),
               kernel = 1 + spread * static_cast<double>(choices);
  std::vector<double> likely;
  for (const double count : counts)
    likely.push_back(
        (count / kernel + total * spread / kernel + kPrior / static_cast<double>(choices)) /
        (total + kPrior));
  return likely;
}

// The trials that are as good as the last of the best tenth.
std::vector<bool> best_of(const std::vector<double>& values) {
  const auto wanted =
      static_cast<std::size_t>(std::ceil(kShare * static_cast<double>(values.size())));
  std::vector<double> sorted = values;
  std::sort(sorted.begin(), sorted.end());
  const double last = sorted[wanted - 1];
  std::vector<bool> best;
  for (const double value : values) best.push_back(value <= last);
  return best;
}

// sum over choices of all * (best / all - 1)^2
double pearson_divergence(const std::vector<double>& best, const std::vector<double>& all) {
  double sum = 0;
  for (std::size_t k = 0; k < all.size(); ++k)
    sum += (best[k] - all[k]) * (best[k] - all[k]) / all[k];
  return sum;
}

}  // namespace

std::vector<double> importance(const Space& space, const std::vector<Point>& points,
                               const std::vector<double>& values) {
  XGEN_CHECK(points.size() == values.size(), points.size(), " points, ", values.size(), " values");
  const std::size_t parameters = space.parameters.size();
  std::vector<double> shares(parameters, 0.0);
  if (!points.empty()) {
    const std::vector<bool> best = best_of(values), all(points.size(), true);
    for (std::size_t k = 0; k < parameters; ++k) {
      const std::size_t choices = space.parameters[k].choices.size();
      if (choices > 1)
        shares[k] =
            pearson_divergence(density(choices, points, best, k), density(choices, points, all, k));
    }
  }
  double sum = std::accumulate(shares.begin(), shares.end(), 0.0);
  if (sum <= 0) {
    for (std::size_t k = 0; k < parameters; ++k)
      shares[k] = space.parameters[k].choices.size() > 1 ? 1 : 0;
    sum = std::accumulate(shares.begin(), shares.end(), 0.0);
  }
  for (double& share : shares) share /= std::max(sum, 1e-300);
  return shares;
}

}  // namespace xgen::search
