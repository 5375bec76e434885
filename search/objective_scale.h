#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

namespace xgen::search {

/// The scale on which one objective is learned: logarithms where all its values are above 0, for
/// errors and times differ by factors; else, as for scores of proxies, the values themselves.
class ObjectiveScale {
 public:
  explicit ObjectiveScale(const std::vector<double>& values)
      : in_factors_(std::all_of(values.begin(), values.end(), [](double v) { return v > 0; })) {}

  double learned(double value) const { return in_factors_ ? std::log(value) : value; }
  std::vector<double> learned(std::vector<double> values) const {
    for (double& v : values) v = learned(v);
    return values;
  }
  double value(double learned) const { return in_factors_ ? std::exp(learned) : learned; }

 private:
  bool in_factors_;
};

}  // namespace xgen::search
