#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "codegen/lower/conv_form.h"
#include "codegen/lower/tap_quads.h"

/// What lowering decides of a convolution before anything of it is stored: the kernel, and where it
/// reads and writes. Predictions ask the same without having weights.
namespace xgen::lower {

/// Filters that share a list in filter_conv and filter_conv_map: a vector or two.
constexpr int kFilterGroup = 16;

/// What the lists of a convolution come to, for groups of so many filters.
struct ListSums {
  int groups = 0;
  double taps = 0;           ///< over all groups and the input lanes that each reads.
  bool shared = true;        ///< every group reads every lane and tap, or `depthwise`.
  bool depthwise = false;    ///< group n reads lane n alone.
  bool channelwise = false;  ///< depthwise, and filter n reads channel n alone.
};

/// The memory of a convolution over positions.
struct ConvPlaces {
  xgen_planes in;  ///< in the form that reading_of() says.
  xgen_planes y;
  std::optional<xgen_planes> split;  ///< a second form of the result.
  std::optional<xgen_planes> residual;
};

/// A call of plane_conv or filter_conv_map.
struct ConvPlan {
  std::string kernel;
  int group = 1;  ///< filters that share a list.
  /// All but tables, weights.bin and what follows from scales and clips.
  xgen_conv args{};
  std::size_t lane_stride = 0;   ///< bytes from one input lane to the next.
  std::vector<int> tap_offsets;  ///< bytes of each tap from the first one.
  std::vector<TapQuad> quads;    ///< of a kernel that takes four taps at a time.
};

/// @param lists_of  the lists for groups of so many filters; asked for the group that is taken, and
///                  before that for others that come into question.
ConvPlan plan_conv(const LowerOptions& options, const ConvForm& form, const ConvPlaces& places,
                   const std::function<ListSums(int group)>& lists_of);

/// A call of filter_conv, for results of one position.
struct FilterConvPlan {
  std::string kernel;
  xgen_filter_conv args{};  ///< as in ConvPlan, and without `y`.
  std::size_t lane_stride = 0;
  std::vector<int> tap_offsets;
};

/// @param in     null where the input has one position and lies in a row at `x`.
/// @param lists  for groups of kFilterGroup filters.
FilterConvPlan plan_filter_conv(const ConvForm& form, const xgen_planes* in, std::size_t x,
                                const ListSums& lists);

}  // namespace xgen::lower
