#include "codegen/latency/layer_work.h"

#include <gtest/gtest.h>

#include <cmath>

#include "codegen/compile.h"
#include "codegen/latency/single_layer.h"
#include "codegen/lower/lower.h"
#include "codegen/targets.h"
#include "tests/codegen/latency/count.h"

namespace xgen::latency {
namespace {

struct Both {
  Work alone, lowered;
};

Both work_of_both(const LayerShape& shape, const LayerVariant& variant, const Target& target,
                  lower::LowerOptions options) {
  const Machine machine = machine_of(target, target.kernels.back());
  const Program program = lower::lower(single_layer(shape, variant), options);
  const Step& step = program.steps[static_cast<std::size_t>(layer_step(program))];
  return {layer_work(shape, variant, options, machine), work_of(program, step, machine)};
}

LayerShape layer(int c_in, int c_out, int kernel, int height, int width, bool int8) {
  LayerShape shape = square_layer(c_in, c_out, kernel, height, int8);
  shape.width = width;
  return shape;
}

/// Every family that may be asked for.
std::vector<lower::LowerOptions> lowerings(const Target& target) {
  std::vector<lower::LowerOptions> all;
  for (const auto family : {lower::ConvFamily::fastest, lower::ConvFamily::plane_conv,
                            lower::ConvFamily::filter_conv, lower::ConvFamily::depthwise}) {
    all.push_back(lowering_for(target));
    all.back().conv_family = family;
  }
  return all;
}

int expect_same_work(const LayerShape& shape) {
  int cases = 0;
  for (const char* name : {"x86_64", "aarch64"}) {
    const Target target = find_target(name);
    for (const lower::LowerOptions& options : lowerings(target)) {
      const Both work = work_of_both(shape, {}, target, options);
      EXPECT_EQ(work.alone.kernel, work.lowered.kernel) << name << " " << to_string(shape);
      EXPECT_EQ(work.alone.counts, work.lowered.counts)
          << name << " " << to_string(shape) << " " << work.lowered.kernel;
      ++cases;
    }
  }
  return cases;
}

TEST(LayerWork, IsThatOfTheLoweredStepForDenseLayers) {
  int cases = 0;
  for (const bool int8 : {false, true}) {
    for (const auto& [height, width] :
         {std::pair{1, 1}, {1, 9}, {2, 2}, {7, 7}, {14, 15}, {33, 20}}) {
      for (const int kernel : {1, 3, 5, 7}) {
        for (const int stride : {1, 2, 3}) {
          for (const auto& [c_in, c_out] : {std::pair{3, 8}, {16, 16}, {30, 70}}) {
            LayerShape shape = layer(c_in, c_out, kernel, height, width, int8);
            shape.stride = stride;
            cases += expect_same_work(shape);
          }
        }
      }
    }
  }
  EXPECT_GT(cases, 3000);
}

TEST(LayerWork, IsThatOfTheLoweredStepForOtherPaddingsAndDilations) {
  for (const bool int8 : {false, true}) {
    LayerShape shape = layer(12, 20, 3, 15, 13, int8);
    shape.dilation = 2;
    shape.pad_top = shape.pad_left = 2;
    expect_same_work(shape);
    shape.stride = 2;
    expect_same_work(shape);
    shape.pad_top = shape.pad_left = shape.pad_bottom = shape.pad_right = 0;
    expect_same_work(shape);
    shape = layer(12, 20, 3, 4, 4, int8);
    shape.pad_top = shape.pad_left = shape.pad_bottom = shape.pad_right = 0;
    shape.height = shape.width = 3;  // one position, of nine
    expect_same_work(shape);
    shape = layer(3, 8, 11, 30, 30, int8);  // more taps than a pattern has
    expect_same_work(shape);
  }
}

TEST(LayerWork, IsThatOfTheLoweredStepForGroupedLayers) {
  for (const bool int8 : {false, true}) {
    for (const int kernel : {1, 3, 5}) {
      for (const int stride : {1, 2}) {
        for (const auto& [c_in, c_out, groups] : {std::tuple{16, 16, 16},
                                                  {18, 18, 18},
                                                  {16, 32, 16},
                                                  {16, 24, 4},
                                                  {12, 12, 2},
                                                  {30, 60, 5},
                                                  {4, 4, 4}}) {
          LayerShape shape = layer(c_in, c_out, kernel, 14, 11, int8);
          shape.groups = groups;
          shape.stride = stride;
          expect_same_work(shape);
        }
      }
    }
  }
}

TEST(LayerWork, ExpectsOfAMaskWhatADrawKeeps) {
  using enum Sparsity::Scheme;
  for (const char* name : {"x86_64", "aarch64"}) {
    Target target = find_target(name);
    // That keep nothing: near the size of a level a few lanes more decide about all lines.
    target.l1_bytes = target.l2_bytes = target.l3_bytes = 1;
    const lower::LowerOptions options = lowering_for(target);
    for (const bool int8 : {false, true}) {
      const int lane = int8 ? 4 : 1;
      for (const LayerVariant& variant : {LayerVariant{pattern, 4, lane, 4, 1},
                                          {pattern, 4, lane, 4, 0.5},
                                          {pattern, 8, lane, 4, 0.25},
                                          {pattern, 4, lane, 3, 0.3},
                                          {block, 8, lane, 0, 0.25},
                                          {block, 4, lane, 0, 0.6},
                                          {block, 16, lane, 0, 0.5},
                                          {block, 8, lane, 0, 1}}) {
        for (const int kernel : {1, 3}) {
          for (const int stride : {1, 2}) {
            LayerShape shape = layer(128, 128, kernel, 28, 28, int8);
            shape.stride = stride;
            const Both work = work_of_both(shape, variant, target, options);
            ASSERT_EQ(work.alone.kernel, work.lowered.kernel);
            const auto& names = work_names(work.alone.kernel);
            for (std::size_t i = 0; i < names.size(); ++i) {
              const double want = work.lowered.counts[i];
              EXPECT_NEAR(work.alone.counts[i], want, 0.02 * want + 1)
                  << name << " " << to_string(shape) << " | " << to_string(variant) << " "
                  << work.alone.kernel << " " << names[i];
            }
          }
        }
      }
    }
  }
}

TEST(LayerWork, ExpectsWhatTheUnionOfJoinedGroupsKeeps) {
  const Target target = find_target("x86_64");
  lower::LowerOptions options = lowering_for(target);
  options.conv_family = lower::ConvFamily::filter_conv;  // joins sixteen filters
  for (const LayerVariant& variant : {LayerVariant{Sparsity::Scheme::pattern, 4, 4, 4, 0.3},
                                      {Sparsity::Scheme::pattern, 6, 4, 4, 0.3},
                                      {Sparsity::Scheme::block, 8, 1, 0, 0.1}}) {
    const LayerShape shape = layer(128, 128, 3, 6, 6, true);
    const Both work = work_of_both(shape, variant, target, options);
    ASSERT_EQ(work.alone.kernel, "filter_conv_map_i8");
    EXPECT_NEAR(count_of(work.alone, "entries_8") / count_of(work.lowered, "entries_8"), 1, 0.02)
        << to_string(variant);
  }
}

TEST(LayerWork, RefusesWhatLoweringRefuses) {
  const Target target = find_target("x86_64");
  const Machine machine = machine_of(target, target.kernels.back());
  LayerShape shape = layer(8, 8, 1, 1, 1, false);
  shape.pad_top = shape.pad_left = shape.pad_bottom = shape.pad_right = 1;
  EXPECT_THROW(layer_work(shape, {}, lowering_for(target), machine), InternalError);
  EXPECT_THROW(lower::lower(single_layer(shape, {}), lowering_for(target)), InternalError);
}

}  // namespace
}  // namespace xgen::latency
