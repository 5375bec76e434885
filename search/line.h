#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <vector>

namespace xgen::search {

inline double mean_of(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

inline double deviation_of(const std::vector<double>& values) {
  const double mean = mean_of(values);
  double squares = 0;
  for (const double v : values) squares += (v - mean) * (v - mean);
  return std::sqrt(squares / static_cast<double>(values.size()));
}

/// What one quantity says of another that rises with it: a line through pairs of both. One more
/// pair pulls its slope to a guess, for few say little: like quantities keep how far they are
/// apart, scores of proxies, of whatever size, get a factor of e for their deviation.
class Line {
 public:
  /// @param x, y       as many; at() makes no sense without any.
  /// @param deviation  of the first quantity.
  Line(const std::vector<double>& x, const std::vector<double>& y, double deviation)
      : x0_(mean_of(x)), y0_(mean_of(y)) {
    deviation = std::max(deviation, 1e-9);
    double xx = deviation * deviation, xy = deviation * std::min(1.0, deviation);
    for (std::size_t i = 0; i < x.size(); ++i) {
      xx += (x[i] - x0_) * (x[i] - x0_);
      xy += (x[i] - x0_) * (y[i] - y0_);
    }
    slope_ = std::max(0.0, xy / xx);
  }

  double at(double x) const { return y0_ + slope_ * (x - x0_); }

 private:
  double x0_, y0_, slope_;
};

}  // namespace xgen::search
