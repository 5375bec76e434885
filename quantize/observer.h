#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/ir/types.h"
#include "quantize/config.h"

namespace xgen::quantize {

/// What an activation may be: low <= 0 <= high, so that 0 is exact.
struct ActivationRange {
  float low = 0;
  float high = 0;
  friend bool operator==(const ActivationRange&, const ActivationRange&) = default;
};

/// u8 parameters of a range: scale = (high - low) / 255, at least the smallest normal number;
/// zero point = round(-low / scale), so the range moves by at most half a step. All zeros: scale 1.
ir::QuantParams params_of(const ActivationRange& range);

/// Sees the values of one activation, batch after batch, in constant memory: extremes and a
/// histogram whose width doubles whenever a value lies outside.
class Observer {
 public:
  /// @param values  finite.
  void observe(std::span<const float> values);

  /// What was seen, extended to 0.
  ActivationRange min_max() const { return {low_, high_}; }
  /// Without the rarest (100 - percent) % of the values, half of them on either side.
  ActivationRange percentile(double percent) const;
  /// Where the squared error of rounding to 256 steps plus that of clipping is smallest, over the
  /// histogram; both ends are searched in steps of 1/64 of what was seen.
  ActivationRange least_squared_error() const;
  /// By name of the config.
  ActivationRange range(const QuantizeConfig& config) const;

  std::int64_t count() const { return count_; }

 private:
  static constexpr int kBins = 4096;  ///< 16 bins a step: clipping to 1/16 is still told apart.

  double centre(int bin) const { return origin_ + (bin + 0.5) * width_; }
  void cover(float low, float high);
  double squared_error(double low, double high) const;

  float low_ = 0;
  float high_ = 0;
  double origin_ = 0;  ///< left end of bin 0.
  double width_ = 0;   ///< of a bin; 0 until a value other than 0 was seen.
  std::int64_t count_ = 0;
  std::vector<std::int64_t> bins_;
};

}  // namespace xgen::quantize
