#pragma once

#include <string>

#include "codegen/kernels/isa.h"

namespace xgen::kernels {

/// The types of a plane_conv: what it reads and what it stores.
enum class ConvType : unsigned char {
  f32,     ///< fp32 lanes in and out.
  i8,      ///< four int8 channels a lane, in and out.
  i8_f32,  ///< int8 in; out are fp32 planes, float(acc) * scale.
  /// As i8, where each channel has a filter of its own: an entry is four taps side by side. No
  /// residual.
  i8_depthwise,
};
const char* name_of(ConvType type);

/// A variant of the family: `group` filters share their list. One function serves all layers.
struct PlaneConvVariant {
  ConvType type = ConvType::f32;
  int group = 4;
  std::string symbol() const;  ///< "plane_conv_f32_g4"
  int planes() const;          ///< that a group of filters fills.
  std::size_t entry_bytes() const { return 4 * static_cast<std::size_t>(group); }  ///< of weights.
  friend auto operator<=>(const PlaneConvVariant&, const PlaneConvVariant&) = default;
};

/// All variants, as codegen/kernels/plane_conv.inc lists them.
const std::vector<PlaneConvVariant>& plane_conv_variants();

/// The widest tile, in vectors, that keeps its accumulators in registers.
int widest_tile(const PlaneConvVariant& variant, const Isa& isa);

/// C of one variant: a straight-line tile for each width up to widest_tile, and the function
/// `void SYMBOL(const xgen_conv*, const xgen_context*)`. Needs plane_conv.c before it.
std::string emit_plane_conv(const PlaneConvVariant& variant, const Isa& isa);

}  // namespace xgen::kernels
