#include "core/sparsity.h"

#include <algorithm>

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

namespace {

void check_fits(const Sparsity& s, const WeightShape& shape) {
  XGEN_CHECK(s.kept.size() == static_cast<std::size_t>(shape.groups(s) * shape.lanes(s)),
             "mask of ", s.kept.size(), " blocks for ", shape.groups(s), " x ", shape.lanes(s));
}

}  // namespace

std::vector<std::uint8_t> expand_mask(const Sparsity& s, const WeightShape& shape) {
  const int taps = shape.taps();
  std::vector<std::uint8_t> mask(
      static_cast<std::size_t>(shape.c_out) * static_cast<std::size_t>(shape.c_in * taps), 1);
  if (s.scheme == Sparsity::Scheme::dense) return mask;
  const int lanes = shape.lanes(s);
  check_fits(s, shape);
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

double density(const Sparsity& s, const WeightShape& shape) {
  const std::int64_t weights = std::int64_t{1} * shape.c_out * shape.c_in * shape.taps();
  if (s.scheme == Sparsity::Scheme::dense || weights == 0) return 1;
  check_fits(s, shape);
  std::vector<std::int64_t> taps_of(s.patterns.patterns.size(), 0);
  for (std::size_t p = 0; p < taps_of.size(); ++p) {
    for (int tap = 0; tap < shape.taps(); ++tap) taps_of[p] += s.patterns.patterns[p].keeps(tap);
  }
  const auto taps_at = [&](std::int32_t kept) {
    return kept == Sparsity::kNone ? 0 : taps_of.at(static_cast<std::size_t>(kept));
  };
  // Of most masks, whose blocks are looked at only for whether they are kept.
  const bool alike =
      !taps_of.empty() && std::all_of(taps_of.begin(), taps_of.end(),
                                      [&](std::int64_t taps) { return taps == taps_of.front(); });
  const int lanes = shape.lanes(s), missing = lanes * s.lane_channels - shape.c_in;
  std::int64_t kept = 0;
  auto block = s.kept.begin();
  for (int o = 0; o < shape.c_out; o += s.group_out, block += lanes) {
    std::int64_t taps = 0;  // of the group's lanes
    if (alike) {
      taps = taps_of.front() * (lanes - std::count(block, block + lanes, Sparsity::kNone));
    } else {
      for (int lane = 0; lane < lanes; ++lane) taps += taps_at(block[lane]);
    }
    kept += (taps * s.lane_channels - taps_at(block[lanes - 1]) * missing) *
            std::min(s.group_out, shape.c_out - o);
  }
  return static_cast<double>(kept) / static_cast<double>(weights);
}

}  // namespace xgen
