#pragma once

#include <bitset>
#include <cstdint>
#include <string>
#include <vector>

#include "core/error.h"

/// The contract between pruning, which chooses what to keep, and code generation, which runs only
/// what is kept (DESIGN section 5). Plain data; neither side includes the other.
namespace xgen {

/// Which weights of a kh x kw kernel are kept, row major: bit kw * row + column. At most 64 taps.
/// Pattern{0b000'011'011} of a 3x3 kernel keeps the 2x2 block at the top left.
struct Pattern {
  std::uint64_t bits = 0;

  bool keeps(int tap) const { return ((bits >> tap) & 1) != 0; }
  int size() const { return static_cast<int>(std::bitset<64>(bits).count()); }
  friend bool operator==(const Pattern&, const Pattern&) = default;
};

/// The patterns that one layer uses. Kernels take them in pieces of one size: patterns of one size
/// are one piece each, others are cut.
struct PatternSet {
  std::vector<Pattern> patterns;

  int size() const { return static_cast<int>(patterns.size()); }
  /// Taps of the first one.
  int taps() const { return patterns.empty() ? 0 : patterns.front().size(); }
  const Pattern& operator[](int i) const { return patterns.at(static_cast<std::size_t>(i)); }
  friend bool operator==(const PatternSet&, const PatternSet&) = default;
};

/// Which weights of one layer are kept, in the unit that its kernel skips: a group of `group_out`
/// consecutive filters x one input lane. A lane holds one fp32 channel or four int8 channels, so
/// `lane_channels` is 1 or 4. All filters of a group share their kept lanes and, per lane, the
/// taps.
struct Sparsity {
  enum class Scheme : std::uint8_t { dense, pattern, block, nm, channel, unstructured };
  /// Value of `kept` for a lane that is pruned away as a whole.
  static constexpr std::int32_t kNone = -1;

  Scheme scheme = Scheme::dense;
  int group_out = 1;      ///< g: consecutive filters which live and die together.
  int lane_channels = 1;  ///< channels of one input lane.
  /// block, nm: one pattern with every tap; blocks that are punched: what is left of each.
  PatternSet patterns;
  /// [ceil(c_out / group_out)][ceil(c_in / lane_channels)], row major: index into `patterns` or
  /// kNone.
  std::vector<std::int32_t> kept;

  friend bool operator==(const Sparsity&, const Sparsity&) = default;
};

const char* name_of(Sparsity::Scheme scheme);

/// The extents that a Sparsity speaks of: weight [c_out, c_in, kh, kw], fully connected layers as
/// [c_out, c_in, 1, 1].
struct WeightShape {
  int c_out = 0, c_in = 0, kh = 1, kw = 1;

  int taps() const { return kh * kw; }
  int groups(const Sparsity& s) const { return (c_out + s.group_out - 1) / s.group_out; }
  int lanes(const Sparsity& s) const { return (c_in + s.lane_channels - 1) / s.lane_channels; }
};

/// Row-major [c_out, c_in, kh, kw], 1 where the weight is kept.
/// @throws InternalError when `kept` does not fit the shape.
std::vector<std::uint8_t> expand_mask(const Sparsity& sparsity, const WeightShape& shape);

/// Share of the weights of `shape` that are kept, in [0, 1].
double density(const Sparsity& sparsity, const WeightShape& shape);

}  // namespace xgen
