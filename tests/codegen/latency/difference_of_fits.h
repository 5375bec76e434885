#pragma once

#include <cmath>
#include <string>

#include "codegen/latency/table.h"
#include "core/error.h"

namespace xgen::test {

/// Where two tables of the same samples differ: in kernels, in what they predict of any sample, or
/// in their errors. Empty where they are the same but for the rounding of sums, which differs
/// between compilers.
inline std::string difference_of_fits(const latency::LatencyTable& a,
                                      const latency::LatencyTable& b) {
  constexpr double kRounding = 1e-6;
  const auto differ = [](double x, double y) {
    return std::abs(x - y) > kRounding * std::max(1e-3, std::abs(y));
  };
  if (a.fits().size() != b.fits().size())
    return str(a.fits().size(), " kernels, not ", b.fits().size());
  for (const auto& [kernel, fit] : a.fits()) {
    if (b.fits().count(kernel) == 0) return str(kernel, ": in one alone");
    const latency::KernelFit& other = b.fits().at(kernel);
    if (fit.samples != other.samples) return str(kernel, ": of so many calls: ", fit.samples);
    if (fit.highest != other.highest) return str(kernel, ": other highest counts");
    if (differ(fit.median_error, other.median_error) || differ(fit.p95_error, other.p95_error) ||
        differ(fit.hit_rate, other.hit_rate))
      return str(kernel, ": other errors");
  }
  for (const latency::Sample& sample : b.samples()) {
    const double x = a.predict(sample.work), y = b.predict(sample.work);
    if (differ(x, y)) return str(sample.work.kernel, ": predicts ", x, ", not ", y);
  }
  return "";
}

}  // namespace xgen::test
