#include "core/sparsity.h"

#include <algorithm>
#include <numeric>

namespace xgen {

const char* name_of(Sparsity::Scheme scheme) {
  switch (scheme) {
    case Sparsity::Scheme::dense:
      return "dense";
    case Sparsity::Scheme::pattern:
      return "pattern";
    case Sparsity::Scheme::block:
      return "block";
    case Sparsity::Scheme::nm:
      return "nm";
    case Sparsity::Scheme::channel:
      return "channel";
    case Sparsity::Scheme::unstructured:
      return "unstructured";
  }
  return "?";
}

std::vector<std::uint8_t> expand_mask(const Sparsity& s, const WeightShape& shape) {
  const int taps = shape.taps();
  std::vector<std::uint8_t> mask(
      static_cast<std::size_t>(shape.c_out) * static_cast<std::size_t>(shape.c_in * taps), 1);
  if (s.scheme == Sparsity::Scheme::dense) return mask;
  const int lanes = shape.lanes(s);
  XGEN_CHECK(s.kept.size() == static_cast<std::size_t>(shape.groups(s) * lanes), "mask of ",
             s.kept.size(), " blocks for ", shape.groups(s), " x ", lanes);
  std::size_t at = 0;
  for (int o = 0; o < shape.c_out; ++o) {
    for (int i = 0; i < shape.c_in; ++i) {
      const int block = o / s.group_out * lanes + i / s.lane_channels;
      const std::int32_t kept = s.kept[static_cast<std::size_t>(block)];
      for (int tap = 0; tap < taps; ++tap) {
        mask[at++] = kept != Sparsity::kNone && s.patterns[kept].keeps(tap) ? 1 : 0;
      }
    }
  }
  return mask;
}

double density(const Sparsity& sparsity, const WeightShape& shape) {
  const auto mask = expand_mask(sparsity, shape);
  if (mask.empty()) return 1;
  return std::accumulate(mask.begin(), mask.end(), 0.0) / static_cast<double>(mask.size());
}

}  // namespace xgen
