#include "search/rank_correlation.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>

#include "core/error.h"

namespace xgen::search {

namespace {

void check(const std::vector<double>& a, const std::vector<double>& b) {
  XGEN_CHECK(a.size() == b.size() && a.size() >= 2, a.size(), " values against ", b.size());
  const auto is_nan = [](double x) { return std::isnan(x); };
  XGEN_CHECK(std::none_of(a.begin(), a.end(), is_nan) && std::none_of(b.begin(), b.end(), is_nan),
             "NaN has no rank");
}

// From 1; equal values share the mean of theirs.
std::vector<double> ranks_of(const std::vector<double>& values) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(),
            [&](std::size_t i, std::size_t j) { return values[i] < values[j]; });
  std::vector<double> ranks(values.size());
  for (std::size_t first = 0, end = 0; first < order.size(); first = end) {
    while (end < order.size() && values[order[end]] == values[order[first]]) ++end;
    for (std::size_t k = first; k < end; ++k)
      ranks[order[k]] = static_cast<double>(first + 1 + end) / 2;
  }
  return ranks;
}

int sign_of_difference(double x, double y) { return (x > y) - (x < y); }

}  // namespace

double spearman_rho(const std::vector<double>& a, const std::vector<double>& b) {
  check(a, b);
  const std::vector<double> x = ranks_of(a), y = ranks_of(b);
  const double mean = static_cast<double>(a.size() + 1) / 2;  // of ranks, with or without ties
  double xx = 0, yy = 0, xy = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    xx += (x[i] - mean) * (x[i] - mean);
    yy += (y[i] - mean) * (y[i] - mean);
    xy += (x[i] - mean) * (y[i] - mean);
  }
  return xy / std::sqrt(xx * yy);
}

double kendall_tau_b(const std::vector<double>& a, const std::vector<double>& b) {
  check(a, b);
  std::int64_t difference = 0, differ_in_a = 0, differ_in_b = 0;
  for (std::size_t j = 1; j < a.size(); ++j) {
    for (std::size_t i = 0; i < j; ++i) {
      const int in_a = sign_of_difference(a[i], a[j]), in_b = sign_of_difference(b[i], b[j]);
      difference += std::int64_t{in_a} * in_b;
      differ_in_a += in_a == 0 ? 0 : 1;
      differ_in_b += in_b == 0 ? 0 : 1;
    }
  }
  return static_cast<double>(difference) /
         std::sqrt(static_cast<double>(differ_in_a) * static_cast<double>(differ_in_b));
}

}  // namespace xgen::search
