#include "core/sparsity.h"

#include <gtest/gtest.h>

#include <numeric>

#include "core/random.h"

namespace xgen {
namespace {

TEST(Density, IsTheShareOfTheMaskThatIsKept) {
  RandomStream random = Random(1).stream("masks");
  // Extents that groups and lanes do not divide among them.
  for (const WeightShape& shape :
       {WeightShape{8, 8, 3, 3}, WeightShape{10, 7, 3, 3}, WeightShape{5, 9, 1, 1}}) {
    Sparsity s;
    s.scheme = Sparsity::Scheme::pattern;
    s.group_out = 4;
    s.lane_channels = 4;
    // Bits beyond the taps of the kernel say nothing.
    s.patterns = {{Pattern{0x1FF}, Pattern{0x1B}, Pattern{0xF000 | 1}}};
    for (int i = 0; i < shape.groups(s) * shape.lanes(s); ++i)
      s.kept.push_back(static_cast<std::int32_t>(random.integer(-1, 2)));
    const std::vector<std::uint8_t> mask = expand_mask(s, shape);
    EXPECT_EQ(density(s, shape),
              std::accumulate(mask.begin(), mask.end(), 0.0) / static_cast<double>(mask.size()));
  }
  EXPECT_EQ(density({}, {4, 4, 3, 3}), 1);
}

}  // namespace
}  // namespace xgen
