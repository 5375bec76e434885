#include "prune/projection.h"

#include <gtest/gtest.h>

#include <random>

#include "prune/patterns.h"

namespace xgen::prune {
namespace {

std::vector<float> random_weight(const WeightShape& shape, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> weight(static_cast<std::size_t>(shape.c_out * shape.c_in * shape.taps()));
  for (float& w : weight) w = normal(random);
  return weight;
}

double kept_energy(const std::vector<float>& weight, const WeightShape& shape, const Sparsity& s) {
  const auto mask = expand_mask(s, shape);
  double energy = 0;
  for (std::size_t i = 0; i < weight.size(); ++i) energy += mask[i] * weight[i] * weight[i];
  return energy;
}

int kept_blocks(const Sparsity& s) {
  return static_cast<int>(std::count_if(s.kept.begin(), s.kept.end(),
                                        [](auto kept) { return kept != Sparsity::kNone; }));
}

/// The most energy of all assignments with `kept_blocks` blocks, at least one in each group.
double brute_force(const std::vector<float>& weight, const WeightShape& shape,
                   const Constraint& c) {
  Sparsity s{c.scheme, c.group_out, c.lane_channels, c.patterns, {}};
  const int groups = shape.groups(s);
  const int lanes = shape.lanes(s);
  const int blocks = groups * lanes;
  s.kept.assign(static_cast<std::size_t>(blocks), Sparsity::kNone);
  double best = -1;
  for (;;) {
    std::vector<int> in_group(static_cast<std::size_t>(groups));
    for (int b = 0; b < blocks; ++b) {
      if (s.kept[static_cast<std::size_t>(b)] != Sparsity::kNone) {
        ++in_group[static_cast<std::size_t>(b / lanes)];
      }
    }
    if (kept_blocks(s) == c.kept_blocks &&
        std::all_of(in_group.begin(), in_group.end(), [](int n) { return n > 0; })) {
      best = std::max(best, kept_energy(weight, shape, s));
    }
    // The next assignment, as an odometer over { none, pattern 0, pattern 1, ... }.
    std::size_t digit = 0;
    while (digit < s.kept.size() && s.kept[digit] == c.patterns.size() - 1) {
      s.kept[digit++] = Sparsity::kNone;
    }
    if (digit == s.kept.size()) return best;
    ++s.kept[digit];
  }
}

TEST(Project, IsTheBestOfAllAssignments) {
  const PatternSet three{{{0b000'011'011}, {0b110'110'000}, {0b010'111'000}}};
  for (unsigned seed = 0; seed < 20; ++seed) {
    const WeightShape shape{4, 3, 3, 3};
    const auto weight = random_weight(shape, seed);
    for (const int kept : {2, 3, 5}) {
      const Constraint c{Sparsity::Scheme::pattern, 2, 1, three, kept};
      const Sparsity s = project(weight, shape, c);
      EXPECT_EQ(kept_blocks(s), kept);
      EXPECT_NEAR(kept_energy(weight, shape, s), brute_force(weight, shape, c), 1e-9);
    }
  }
}

TEST(Project, CountsPartialGroupsAndLanes) {
  const WeightShape shape{6, 10, 1, 1};  // groups of 4 and 2 filters, lanes of 4, 4 and 2 channels
  for (unsigned seed = 0; seed < 20; ++seed) {
    const auto weight = random_weight(shape, seed);
    const Constraint c{Sparsity::Scheme::block, 4, 4, all_taps(shape), 3};
    EXPECT_NEAR(kept_energy(weight, shape, project(weight, shape, c)),
                brute_force(weight, shape, c), 1e-9);
  }
}

TEST(Project, KeepsABlockOfEveryGroupAndGivesTiesToTheFirst) {
  const WeightShape shape{4, 3, 1, 1};
  std::vector<float> weight(12, 1.0F);
  weight[0] = weight[1] = weight[2] = 9;  // filter 0 alone would take everything
  const Sparsity s = project(weight, shape, {Sparsity::Scheme::block, 1, 1, all_taps(shape), 5});
  constexpr auto kNone = Sparsity::kNone;
  EXPECT_EQ(s.kept, (std::vector<std::int16_t>{0, 0, kNone, 0, kNone, kNone, 0, kNone, kNone, 0,
                                               kNone, kNone}));
}

TEST(CentredPatterns, AreTheFiftySixOfPatDnn) {
  const PatternSet set = centred_patterns(4);
  EXPECT_EQ(set.size(), 56);
  for (const Pattern& pattern : set.patterns) EXPECT_TRUE(pattern.keeps(4) && pattern.size() == 4);
}

TEST(ChoosePatterns, TakesTheMostFrequentFirst) {
  const WeightShape shape{5, 1, 3, 3};
  const Pattern often{0b011'011'000};
  const Pattern seldom{0b000'110'110};
  std::vector<float> weight;
  for (const Pattern& pattern : {seldom, often, often, seldom, often}) {
    for (int tap = 0; tap < 9; ++tap) weight.push_back(pattern.keeps(tap) ? 1.0F : 0.1F);
  }
  EXPECT_EQ(choose_patterns(weight, shape, 1, 1, 4, 8).patterns,
            (std::vector<Pattern>{often, seldom}));
  EXPECT_EQ(choose_patterns(weight, shape, 1, 1, 4, 1).patterns, (std::vector<Pattern>{often}));
}

TEST(ChoosePatterns, SumsEnergyOverTheGroup) {
  const WeightShape shape{2, 1, 3, 3};
  std::vector<float> weight(18, 0.0F);
  for (const int tap : {3, 4, 6, 7}) weight[static_cast<std::size_t>(tap)] = 1;      // filter 0
  for (const int tap : {1, 2, 4, 5}) weight[static_cast<std::size_t>(9 + tap)] = 3;  // filter 1
  EXPECT_EQ(choose_patterns(weight, shape, 2, 1, 4, 8).patterns,
            (std::vector<Pattern>{{0b000'110'110}}));
}

}  // namespace
}  // namespace xgen::prune
