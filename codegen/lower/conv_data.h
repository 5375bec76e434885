#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "codegen/lower/context.h"

namespace xgen::lower {

/// The weights of one convolution with what places them: shape, groups, mask.
class ConvData {
 public:
  /// @throws UserError for a weight that is not constant.
  ConvData(const Context& context, const ir::Node& node);

  /// The stored weight of filter f, input channel c of the whole tensor, or 0 outside its
  /// convolution group.
  float real(int f, int c, int tap) const {
    return inside(f, c) ? weight_.constant->as<float>()[index(f, c, tap)] : 0.0F;
  }
  int quantized(int f, int c, int tap) const {
    return inside(f, c) ? weight_.constant->as<std::int8_t>()[index(f, c, tap)] : 0;
  }

  /// Taps of filter f that read channel c, as bits; convolutions of more than 64 taps are dense.
  std::uint64_t kept_taps(int f, int c) const;
  std::uint64_t all_taps() const {
    return taps() >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << taps()) - 1;
  }
  int taps() const { return shape_.taps(); }
  const WeightShape& shape() const { return shape_; }
  int c_in() const { return c_in_; }
  const Sparsity* sparsity() const { return sparsity_; }
  bool integer() const { return integer_; }
  const ir::Conv& conv() const { return conv_; }
  const ir::Value& weight() const { return weight_; }

 private:
  bool inside(int f, int c) const {
    if (f >= shape_.c_out || c >= c_in_) return false;
    return conv_.groups == 1 ||
           c / shape_.c_in == f / (shape_.c_out / static_cast<int>(conv_.groups));
  }
  std::size_t index(int f, int c, int tap) const {
    return static_cast<std::size_t>((f * shape_.c_in + c % shape_.c_in) * taps() + tap);
  }

  const ir::Conv& conv_;
  const ir::Value& weight_;
  WeightShape shape_;
  int c_in_ = 0;
  const Sparsity* sparsity_ = nullptr;
  bool integer_ = false;
};

/// Channels of each physical lane of a convolution's input: [lanes][4], -1 where a byte is dead.
using LaneChannels = std::vector<std::array<int, 4>>;
LaneChannels channels_of_lanes(const ChannelMap& map, int lanes);

}  // namespace xgen::lower
