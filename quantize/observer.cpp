#include "quantize/observer.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace xgen::quantize {

ir::QuantParams params_of(const ActivationRange& range) {
  XGEN_CHECK(range.low <= 0 && range.high >= 0, "range [", range.low, ", ", range.high, "]");
  const double width = static_cast<double>(range.high) - static_cast<double>(range.low);
  if (width == 0) return {{1.0F}, {0}, -1};
  const float scale = std::max(static_cast<float>(width / 255), std::numeric_limits<float>::min());
  const double zero = std::nearbyint(-static_cast<double>(range.low) / static_cast<double>(scale));
  return {{scale}, {static_cast<std::int32_t>(std::clamp(zero, 0.0, 255.0))}, -1};
}

void Observer::observe(std::span<const float> values) {
  if (values.empty()) return;
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  XGEN_CHECK(std::isfinite(*low) && std::isfinite(*high), "a value that is not finite");
  low_ = std::min(low_, *low);
  high_ = std::max(high_, *high);
  const std::int64_t before = count_;
  count_ += static_cast<std::int64_t>(values.size());
  if (width_ == 0) {
    if (low_ == high_) return;  // zeros so far
    origin_ = static_cast<double>(low_);
    // A little wider, so that the greatest value falls into the last bin.
    width_ = (static_cast<double>(high_) - origin_) * (1 + 1e-6) / kBins;
    bins_.assign(kBins, 0);
    bins_[static_cast<std::size_t>((0 - origin_) / width_)] += before;
  }
  cover(*low, *high);
  for (const float value : values) {
    const auto bin = static_cast<int>((static_cast<double>(value) - origin_) / width_);
    ++bins_[static_cast<std::size_t>(std::clamp(bin, 0, kBins - 1))];
  }
}

void Observer::cover(float low, float high) {
  constexpr std::size_t kHalf = kBins / 2;
  const auto merge_pairs = [&](std::size_t to) {
    std::vector<std::int64_t> merged(kBins, 0);
    for (std::size_t i = 0; i < kHalf; ++i) merged[to + i] = bins_[2 * i] + bins_[2 * i + 1];
    bins_ = std::move(merged);
  };
  while (static_cast<double>(low) < origin_) {
    origin_ -= kBins * width_;
    width_ *= 2;
    merge_pairs(kHalf);
  }
  while (static_cast<double>(high) >= origin_ + kBins * width_) {
    width_ *= 2;
    merge_pairs(0);
  }
}

ActivationRange Observer::percentile(double percent) const {
  if (width_ == 0) return min_max();
  const double tail = static_cast<double>(count_) * (100 - percent) / 200;
  const auto cut = [&](auto begin, auto end) {
    double seen = 0;
    int steps = 0;
    for (auto bin = begin; bin != end && seen + static_cast<double>(*bin) <= tail; ++bin, ++steps) {
      seen += static_cast<double>(*bin);
    }
    return steps;
  };
  const double low = origin_ + cut(bins_.begin(), bins_.end()) * width_;
  const double high = origin_ + (kBins - cut(bins_.rbegin(), bins_.rend())) * width_;
  return {std::min(0.0F, std::max(low_, static_cast<float>(low))),
          std::max(0.0F, std::min(high_, static_cast<float>(high)))};
}

double Observer::squared_error(double low, double high) const {
  const ir::QuantParams params = params_of({static_cast<float>(low), static_cast<float>(high)});
  const auto scale = static_cast<double>(params.scale[0]);
  const double zero = params.zero_point[0];
  double error = 0;
  for (int bin = 0; bin < kBins; ++bin) {
    const std::int64_t n = bins_[static_cast<std::size_t>(bin)];
    if (n == 0) continue;
    const double value = centre(bin);
    const double q = std::clamp(std::nearbyint(value / scale) + zero, 0.0, 255.0);
    const double difference = value - (q - zero) * scale;
    error += static_cast<double>(n) * difference * difference;
  }
  return error;
}

ActivationRange Observer::least_squared_error() const {
  if (width_ == 0) return min_max();
  constexpr int kSteps = 64;
  double low = static_cast<double>(low_);
  double high = static_cast<double>(high_);
  double best = squared_error(low, high);
  // Alternating between the ends: the error is close to separable, two rounds settle it.
  for (int round = 0; round < 2; ++round) {
    for (const bool search_low : {false, true}) {
      const double limit = static_cast<double>(search_low ? low_ : high_);
      if (limit == 0) continue;
      for (int step = 1; step <= kSteps; ++step) {
        const double end = limit * step / kSteps;
        const double error = search_low ? squared_error(end, high) : squared_error(low, end);
        if (error < best) {
          best = error;
          (search_low ? low : high) = end;
        }
      }
    }
  }
  return {static_cast<float>(low), static_cast<float>(high)};
}

ActivationRange Observer::range(const QuantizeConfig& config) const {
  if (config.observer == "min_max") return min_max();
  if (config.observer == "percentile") return percentile(config.percentile);
  XGEN_CHECK(config.observer == "mse", "observer ", config.observer);
  return least_squared_error();
}

}  // namespace xgen::quantize
