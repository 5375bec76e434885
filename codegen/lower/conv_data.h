#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "codegen/lower/context.h"
#include "codegen/lower/conv_form.h"

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

  /// Of the channels, one after another, that filter f reads.
  int first_channel(int f) const {
    return f / (shape().c_out / static_cast<int>(conv().groups)) * shape().c_in;
  }
  /// Taps of filter f that read channel c, as bits; convolutions of more than 64 taps are dense.
  std::uint64_t kept_taps(int f, int c) const;
  /// The first filter behind f that may keep other taps or read other channels.
  int filters_alike_until(int f) const {
    if (conv().groups > 1) return f + 1;
    return sparsity_ == nullptr ? shape().c_out
                                : (f / sparsity_->group_out + 1) * sparsity_->group_out;
  }
  /// Calls visit(first, behind, taps) for the channels that filter f reads, in order, those of one
  /// block of the mask at once. Where it keeps nothing a block may be left out.
  template <class Visit>
  void visit_channels(int f, const Visit& visit) const {
    if (sparsity_ == nullptr || conv().groups > 1) {
      const int begin = first_channel(f);
      for (int c = begin; c < begin + shape().c_in; ++c) visit(c, c + 1, kept_taps(f, c));
      return;
    }
    const int lanes = shape().lanes(*sparsity_), step = sparsity_->lane_channels;
    const auto row = sparsity_->kept.begin() + f / sparsity_->group_out * lanes;
    for (int lane = 0; lane < lanes; ++lane) {
      const std::int32_t kept = row[lane];
      if (kept == Sparsity::kNone) continue;
      visit(lane * step, std::min((lane + 1) * step, shape().c_in),
            sparsity_->patterns[kept].bits & all_taps());
    }
  }
  std::uint64_t all_taps() const {
    return taps() >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << taps()) - 1;
  }
  int taps() const { return form_.shape.taps(); }
  const ConvForm& form() const { return form_; }
  const WeightShape& shape() const { return form_.shape; }
  int c_in() const { return form_.c_in(); }
  const Sparsity* sparsity() const { return sparsity_; }
  bool integer() const { return form_.integer; }
  const ir::Conv& conv() const { return form_.conv; }
  const ir::Value& weight() const { return weight_; }

 private:
  bool inside(int f, int c) const {
    if (f >= shape().c_out || c >= c_in()) return false;
    return conv().groups == 1 || c / shape().c_in * shape().c_in == first_channel(f);
  }
  std::size_t index(int f, int c, int tap) const {
    return static_cast<std::size_t>((f * shape().c_in + c % shape().c_in) * taps() + tap);
  }

  const ir::Value& weight_;
  ConvForm form_;
  const Sparsity* sparsity_ = nullptr;
};

/// Channels of each physical lane of a convolution's input: [lanes][4], -1 where a byte is dead.
using LaneChannels = std::vector<std::array<int, 4>>;
LaneChannels channels_of_lanes(const ChannelMap& map, int lanes);

}  // namespace xgen::lower
