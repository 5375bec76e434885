#include "codegen/latency/work.h"

#include <gtest/gtest.h>

#include <map>

#include "codegen/compile.h"
#include "codegen/latency/sampled_network.h"
#include "codegen/latency/single_layer.h"
#include "codegen/lower/lower.h"
#include "codegen/targets.h"

namespace xgen::latency {
namespace {

std::map<std::string, double> counts_of(const Work& work) {
  std::map<std::string, double> counts;
  const auto& names = work_names(work.kernel);
  for (std::size_t i = 0; i < names.size(); ++i) counts[names[i]] = work.counts.at(i);
  return counts;
}

Machine machine() { return machine_of(find_target("x86_64"), "x86-avx512-vnni"); }

std::map<std::string, double> layer_counts(const LayerShape& shape, const LayerVariant& variant,
                                           const LayerExtras& extras = {}) {
  const Program program =
      lower::lower(single_layer(shape, variant, extras), lowering_for(find_target("x86_64")));
  const auto step = static_cast<std::size_t>(layer_step(program));
  return counts_of(work_of(program, program.steps[step], machine()));
}

LayerShape image_layer(bool int8) {
  LayerShape s;
  s.c_in = 32, s.c_out = 64, s.kernel_h = s.kernel_w = 3, s.height = s.width = 28;
  s.pad_top = s.pad_left = s.pad_bottom = s.pad_right = 1;
  s.int8 = int8;
  return s;
}

TEST(WorkOf, CountsEveryVectorOfADenseLayerOnce) {
  const auto counts = layer_counts(image_layer(false), {});
  double vectors = 0, entries = 0;
  for (int width = 1; width <= 8; ++width) {
    const double tiles = counts.at(str("tiles_", width));
    vectors += width * tiles;
    entries += counts.at(str("entries_", width));
    // Each tile walks through 32 lanes with 9 taps.
    EXPECT_EQ(counts.at(str("entries_", width)), tiles * 32 * 9) << width;
  }
  // 28 rows of pitch 29 are one run of 812 positions, 51 vectors; 8 groups of 8 filters.
  EXPECT_EQ(vectors, 51 * 8);
  EXPECT_GT(entries, 0);
  EXPECT_EQ(counts.at("residual_vectors"), 0);
}

TEST(WorkOf, CountsWhatAMaskKeeps) {
  LayerVariant variant;
  variant.scheme = Sparsity::Scheme::pattern;
  variant.group_out = 4, variant.lane_channels = 4, variant.taps = 4, variant.kept_blocks = 0.5;
  const auto counts = layer_counts(image_layer(true), variant);
  double tiles = 0, entries = 0;
  for (int width = 1; width <= 8; ++width) {
    tiles += counts.at(str("tiles_", width));
    entries += counts.at(str("entries_", width));
  }
  // Of 8 lanes 4 are kept, with 4 taps.
  EXPECT_EQ(entries, tiles * 4 * 4);
}

TEST(WorkOf, CountsResidualsAndActivations) {
  LayerExtras extras;
  extras.residual = true;
  EXPECT_EQ(layer_counts(image_layer(false), {}, extras).at("residual_vectors"), 51 * 64);
  extras = {};
  extras.activation = ir::Activation::Kind::silu;
  EXPECT_EQ(layer_counts(image_layer(false), {}, extras).at("silu"), 51 * 64);
}

TEST(WorksOf, KnowEveryKernelThatSamplesHave) {
  for (int i = 0; i < 100; ++i) {
    RandomStream random = Random(5).stream("sample", i);
    const Program program =
        lower::lower(sampled_network(random), lowering_for(find_target("x86_64")));
    const std::vector<Work> works = works_of(program, machine());
    ASSERT_EQ(works.size(), program.steps.size());
    for (std::size_t s = 0; s < works.size(); ++s) {
      EXPECT_EQ(works[s].kernel, program.steps[s].kernel);
      ASSERT_EQ(works[s].counts.size(), work_names(works[s].kernel).size()) << works[s].kernel;
      EXPECT_EQ(works[s].counts[0], 1) << works[s].kernel;  // calls
      for (const double count : works[s].counts) EXPECT_GE(count, 0) << works[s].kernel;
    }
  }
}

}  // namespace
}  // namespace xgen::latency
