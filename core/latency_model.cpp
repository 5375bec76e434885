#include "core/latency_model.h"

#include <cmath>

#include "core/error.h"

namespace xgen {

std::string to_string(const LayerShape& s) {
  return str("conv ", s.c_in, "->", s.c_out, " ", s.kernel_h, "x", s.kernel_w, " s", s.stride, " d",
             s.dilation, " groups", s.groups, " p", s.pad_top, ",", s.pad_left, ",", s.pad_bottom,
             ",", s.pad_right, " ", s.height, "x", s.width, s.int8 ? " int8" : " fp32");
}

std::string to_string(const LayerVariant& v) {
  if (v.scheme == Sparsity::Scheme::dense) return "dense";
  return str(name_of(v.scheme), " g", v.group_out, " l", v.lane_channels, " t", v.taps, " ",
             std::round(1e4 * v.kept_blocks) / 1e4);
}

}  // namespace xgen
