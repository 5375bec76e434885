#include "prune/schemes/schemes.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <tuple>

#include "prune/block_energy.h"
#include "prune/patterns.h"
#include "prune/plan.h"
#include "tests/support/message.h"

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

Layer conv(int c_in, int c_out, int kernel) {
  Layer layer;
  layer.node = str("conv", kernel);
  layer.weight = layer.node + ".w";
  layer.op = "Conv";
  layer.shape = {c_out, c_in, kernel, kernel};
  layer.macs = 64LL * c_in * c_out * kernel * kernel;
  layer.prunable = true;
  return layer;
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
      const Sparsity s = project(squares(weight), shape, c);
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
    EXPECT_NEAR(kept_energy(weight, shape, project(squares(weight), shape, c)),
                brute_force(weight, shape, c), 1e-9);
  }
}

TEST(Project, KeepsABlockOfEveryGroupAndGivesTiesToTheFirst) {
  const WeightShape shape{4, 3, 1, 1};
  std::vector<float> weight(12, 1.0F);
  weight[0] = weight[1] = weight[2] = 9;  // filter 0 alone would take everything
  const Sparsity s =
      project(squares(weight), shape, {Sparsity::Scheme::block, 1, 1, all_taps(shape), 5});
  constexpr auto kNone = Sparsity::kNone;
  EXPECT_EQ(s.kept, (std::vector<std::int32_t>{0, 0, kNone, 0, kNone, kNone, 0, kNone, kNone, 0,
                                               kNone, kNone}));
}

TEST(Project, DropsBlocksOfSeveralLanesTogether) {
  const WeightShape shape{4, 10, 1, 1};
  const auto weight = random_weight(shape, 3);
  Constraint c{Sparsity::Scheme::block, 2, 1, all_taps(shape), 5};
  c.block_lanes = 4;  // blocks of 4, 4 and 2 lanes
  const Sparsity s = project(squares(weight), shape, c);
  ASSERT_EQ(s.kept.size(), 20U);
  int blocks = 0;
  for (std::size_t group = 0; group < 2; ++group) {
    for (const auto& [first, last] : {std::pair{0U, 4U}, {4U, 8U}, {8U, 10U}}) {
      for (std::size_t lane = first; lane < last; ++lane)
        EXPECT_EQ(s.kept[group * 10 + lane], s.kept[group * 10 + first]);
      blocks += s.kept[group * 10 + first] != Sparsity::kNone;
    }
  }
  EXPECT_EQ(blocks, 5);
}

TEST(Project, PunchesTheTapsWithTheMostEnergyOfAllBlocks) {
  const WeightShape shape{4, 4, 3, 3};
  const auto weight = random_weight(shape, 5);
  Constraint c{Sparsity::Scheme::block, 2, 1, all_taps(shape), 13};
  c.punched = true;
  c.block_lanes = 2;
  const Sparsity s = project(squares(weight), shape, c);
  const auto mask = expand_mask(s, shape);
  // Of 2 x 2 blocks of 9 taps, 4 weights each: the 13 of 36 units with the most energy.
  std::vector<double> energies, kept;
  for (int block = 0; block < 4; ++block) {
    for (int tap = 0; tap < 9; ++tap) {
      double energy = 0;
      int ones = 0;
      for (int f = 0; f < 2; ++f) {
        for (int lane = 0; lane < 2; ++lane) {
          const auto at =
              static_cast<std::size_t>(((block / 2 * 2 + f) * 4 + block % 2 * 2 + lane) * 9 + tap);
          energy += static_cast<double>(weight[at]) * static_cast<double>(weight[at]);
          ones += mask[at];
        }
      }
      EXPECT_TRUE(ones == 0 || ones == 4);
      energies.push_back(energy);
      if (ones == 4) kept.push_back(energy);
    }
  }
  std::sort(energies.rbegin(), energies.rend());
  std::sort(kept.rbegin(), kept.rend());
  energies.resize(13);
  EXPECT_EQ(kept, energies);
}

TEST(Project, KeepsTheBestLanesOfEveryRun) {
  const WeightShape shape{4, 10, 1, 1};  // runs of 4, 4 and 2 lanes
  const auto weight = random_weight(shape, 7);
  Constraint c{Sparsity::Scheme::nm, 2, 1, all_taps(shape)};
  c.run_lanes = 4;
  c.live_lanes = 2;
  const Sparsity s = project(squares(weight), shape, c);
  const auto energy = [&](std::size_t group, std::size_t lane) {
    double sum = 0;
    for (std::size_t f = 2 * group; f < 2 * group + 2; ++f)
      sum +=
          static_cast<double>(weight[f * 10 + lane]) * static_cast<double>(weight[f * 10 + lane]);
    return sum;
  };
  for (std::size_t group = 0; group < 2; ++group) {
    for (const auto& [first, last, live] : {std::tuple{0U, 4U, 2}, {4U, 8U, 2}, {8U, 10U, 1}}) {
      int kept = 0;
      double least_kept = 1e30, most_dropped = 0;
      for (std::size_t lane = first; lane < last; ++lane) {
        if (s.kept[group * 10 + lane] == Sparsity::kNone) {
          most_dropped = std::max(most_dropped, energy(group, lane));
        } else {
          ++kept;
          least_kept = std::min(least_kept, energy(group, lane));
        }
      }
      EXPECT_EQ(kept, live);
      EXPECT_GT(least_kept, most_dropped);
    }
  }
}

TEST(Project, KeepsTheLargestSingleWeights) {
  const WeightShape shape{6, 5, 3, 3};
  const auto weight = random_weight(shape, 9);
  Constraint c{Sparsity::Scheme::unstructured, 1, 1, {}, 50};
  const auto mask = expand_mask(project(squares(weight), shape, c), shape);
  float least_kept = 1e30F, most_dropped = 0;
  int kept = 0;
  for (std::size_t i = 0; i < weight.size(); ++i) {
    kept += mask[i];
    if (mask[i] != 0)
      least_kept = std::min(least_kept, std::abs(weight[i]));
    else
      most_dropped = std::max(most_dropped, std::abs(weight[i]));
  }
  EXPECT_EQ(kept, 50);
  EXPECT_GT(least_kept, most_dropped);
}

// What a scheme promises to keep is what its projection keeps, and no more than the rate allows.
TEST(Schemes, KeepTheShareThatTheirConstraintSays) {
  for (const char* scheme : {"pattern", "block", "nm", "unstructured"}) {
    for (const bool punched : {false, true}) {
      for (const double rate : {2.25, 3.0, 4.0, 7.0}) {
        PruneConfig config;
        config.scheme = scheme;
        config.final_type = "int8";
        config.punched = punched;
        config.nm_lanes = 8;
        const Layer layer = conv(32, 64, 3);
        Constraint c = constraint_of(layer, rate, config);
        const auto weight = random_weight(layer.shape, 1);
        if (c.scheme == Sparsity::Scheme::pattern)
          c.patterns =
              choose_patterns(squares(weight), layer.shape, c.group_out, c.lane_channels, 4, 8);
        const double kept = density(project(squares(weight), layer.shape, c), layer.shape);
        SCOPED_TRACE(str(scheme, " at ", rate, punched ? ", punched" : ""));
        EXPECT_NEAR(rules_of(c.scheme).kept_share(layer.shape, c), kept, 1e-12);
        EXPECT_LE(kept, 1 / rate + 1e-12);
        EXPECT_GT(kept, 0.6 / rate);
      }
    }
  }
}

TEST(SchemeOf, IsWhatTheLastRuleSays) {
  PruneConfig config;
  config.scheme = "pattern";
  const Layer three = conv(8, 8, 3), one = conv(8, 8, 1);
  EXPECT_EQ(scheme_of(three, config), Sparsity::Scheme::pattern);
  EXPECT_EQ(scheme_of(one, config), Sparsity::Scheme::block);
  config.layers = {{"*", "nm"}, {"conv3*", "block"}};
  EXPECT_EQ(scheme_of(three, config), Sparsity::Scheme::block);
  EXPECT_EQ(scheme_of(one, config), Sparsity::Scheme::nm);
  config.layers = {{"conv1", "pattern"}};
  EXPECT_EQ(
      test::message_of([&] {
        check_rules({three, one}, config);
      }),
      "layers/0: \"conv1\" cannot have scheme \"pattern\": patterns are of 3x3 kernels, and its "
      "kernel is 1x1; it can have block, nm, unstructured");
  config.layers = {{"conv2", "block"}};
  EXPECT_EQ(test::message_of([&] {
              check_rules({three, one}, config);
            }),
            "layers/0: \"conv2\" matches no layer with weights; did you mean \"conv3\"?");
  Layer stem = conv(3, 8, 5);
  stem.prunable = false;
  stem.reason = "its 3 input channels are less than one lane of int8";
  config.layers = {{"conv*", "block"}};
  check_rules({three, stem}, config);
  config.layers = {{"conv5", "block"}};
  EXPECT_EQ(
      test::message_of([&] {
        check_rules({three, stem}, config);
      }),
      "layers/0: \"conv5\" cannot have scheme \"block\": it stays dense: its 3 input channels "
      "are less than one lane of int8");
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
  EXPECT_EQ(choose_patterns(squares(weight), shape, 1, 1, 4, 8).patterns,
            (std::vector<Pattern>{often, seldom}));
  EXPECT_EQ(choose_patterns(squares(weight), shape, 1, 1, 4, 1).patterns,
            (std::vector<Pattern>{often}));
}

TEST(ChoosePatterns, BlocksOfZerosDoNotVote) {
  const WeightShape shape{4, 1, 3, 3};
  const Pattern kept{0b011'011'000};
  std::vector<float> weight(36, 0.0F);
  for (int tap = 0; tap < 9; ++tap) weight[static_cast<std::size_t>(tap)] = kept.keeps(tap);
  EXPECT_EQ(choose_patterns(squares(weight), shape, 1, 1, 4, 1).patterns,
            (std::vector<Pattern>{kept}));
  EXPECT_EQ(choose_patterns(squares(std::vector<float>(36, 0.0F)), shape, 1, 1, 4, 8).patterns,
            (std::vector<Pattern>{centred_patterns(4).patterns.front()}));
}

TEST(ChoosePatterns, SumsEnergyOverTheGroup) {
  const WeightShape shape{2, 1, 3, 3};
  std::vector<float> weight(18, 0.0F);
  for (const int tap : {3, 4, 6, 7}) weight[static_cast<std::size_t>(tap)] = 1;      // filter 0
  for (const int tap : {1, 2, 4, 5}) weight[static_cast<std::size_t>(9 + tap)] = 3;  // filter 1
  EXPECT_EQ(choose_patterns(squares(weight), shape, 2, 1, 4, 8).patterns,
            (std::vector<Pattern>{{0b000'110'110}}));
}

}  // namespace
}  // namespace xgen::prune
