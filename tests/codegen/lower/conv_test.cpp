#include <gtest/gtest.h>

#include <algorithm>
#include <ostream>

#include "core/error.h"
#include "core/ir/infer_shapes.h"
#include "tests/support/compiled_graph.h"

namespace xgen::lower {
namespace {

// One convolution, in all the ways that lowering tells apart.
struct Case {
  const char* name;
  int c_in, c_out, height, width, kernel, stride;
  int pad = 0, groups = 1, dilation = 1;
  enum class Mask { dense, pattern, block, punched } mask = Mask::dense;
  bool residual = false, relu = false, real_out = false, silu = false;
  friend std::ostream& operator<<(std::ostream& out, const Case& c) { return out << c.name; }
};

const Case kCases[] = {
    {"dense_3x3", 8, 16, 14, 14, 3, 1, 1},
    {"odd_sizes", 5, 11, 7, 9, 3, 1, 1},
    {"pointwise", 12, 24, 10, 10, 1, 1},
    {"stride_2", 8, 8, 15, 17, 3, 2, 1},
    {"stride_2_even", 8, 12, 32, 32, 3, 2, 1},
    {"stride_2_wide", 5, 8, 5, 71, 3, 2, 1},
    {"stride_2_narrow", 5, 8, 9, 2, 3, 2, 1},
    {"stride_2_pointwise", 8, 8, 16, 16, 1, 2},
    {"stride_4_large", 3, 8, 35, 35, 11, 4, 2},
    {"valid_5x5", 4, 8, 12, 20, 5, 1},
    {"dilated", 8, 8, 16, 16, 3, 1, 2, 1, 2},
    {"depthwise", 12, 12, 14, 14, 3, 1, 1, 12},
    {"depthwise_stride_2", 8, 8, 14, 14, 3, 2, 1, 8},
    {"depthwise_wide", 5, 5, 6, 37, 3, 1, 1, 5},
    {"depthwise_wide_stride_2", 5, 5, 7, 75, 3, 2, 1, 5},
    {"depthwise_flat", 5, 5, 1, 19, 3, 1, 1, 5},
    {"depthwise_valid", 6, 6, 8, 18, 3, 1, 0, 6},
    {"depthwise_silu", 6, 6, 9, 20, 3, 1, 1, 6, 1, Case::Mask::dense, false, false, false, true},
    {"depthwise_silu_narrow", 6, 6, 5, 6, 3, 2, 1, 6, 1, Case::Mask::dense, false, false, false,
     true},
    {"depthwise_odd", 7, 7, 9, 21, 3, 1, 1, 7, 1, Case::Mask::dense, false, true},
    {"depthwise_5x5", 8, 8, 12, 12, 5, 1, 2, 8},
    {"depthwise_5x5_stride_2", 8, 8, 19, 18, 5, 2, 2, 8},
    {"depthwise_dilated", 8, 8, 16, 16, 3, 1, 2, 8, 2},
    {"depthwise_pointwise", 8, 8, 9, 9, 1, 1, 0, 8},
    {"depthwise_residual", 8, 8, 10, 10, 3, 1, 1, 8, 1, Case::Mask::dense, true},
    {"grouped", 16, 16, 9, 9, 3, 1, 1, 2},
    {"wide_rows", 4, 8, 3, 70, 3, 1, 1},
    {"residual_relu", 8, 8, 14, 14, 3, 1, 1, 1, 1, Case::Mask::dense, true, true},
    {"pattern", 16, 16, 14, 14, 3, 1, 1, 1, 1, Case::Mask::pattern},
    {"pattern_stride_2", 16, 16, 14, 14, 3, 2, 1, 1, 1, Case::Mask::pattern, false, true},
    {"punched", 16, 16, 14, 14, 3, 1, 1, 1, 1, Case::Mask::punched},
    {"punched_small_map", 32, 32, 5, 5, 3, 1, 1, 1, 1, Case::Mask::punched, true, true},
    {"punched_5x5_stride_2", 16, 24, 15, 15, 5, 2, 2, 1, 1, Case::Mask::punched},
    {"block_pointwise", 32, 16, 8, 8, 1, 1, 0, 1, 1, Case::Mask::block, false, true},
    {"narrow_rows_silu", 8, 8, 26, 26, 3, 2, 1, 1, 1, Case::Mask::dense, false, false, false, true},
    {"to_one_position", 16, 20, 4, 4, 4, 1},
    {"to_one_position_stride_2", 8, 12, 2, 2, 3, 2, 1},
    {"depthwise_to_one_position", 12, 12, 2, 2, 3, 2, 1, 12},
    {"real_result", 8, 10, 8, 8, 3, 1, 1, 1, 1, Case::Mask::dense, false, false, true},
    {"real_result_one_position", 16, 10, 4, 4, 4, 1, 0, 1, 1, Case::Mask::dense, false, false,
     true},
};

Sparsity random_mask(const Case& c, bool integer, test::RandomTensors& random) {
  Sparsity s;
  s.scheme = c.mask == Case::Mask::pattern ? Sparsity::Scheme::pattern : Sparsity::Scheme::block;
  s.group_out = 4;
  s.lane_channels = integer ? 4 : 1;
  if (c.mask == Case::Mask::pattern)
    s.patterns = {{{0b000'011'011}, {0b011'110'000}, {0b010'111'000}}};
  else if (c.mask == Case::Mask::punched)
    s.patterns = {{{0b000'000'001}, {0b011'110'100}, {0b010'001'000}, {0b111'111'111}}};
  else
    s.patterns = {{{1}}};
  const WeightShape shape{c.c_out, c.c_in, c.kernel, c.kernel};
  for (int i = 0; i < shape.groups(s) * shape.lanes(s); ++i) {
    s.kept.push_back(random.below(2) == 0 ? -1 : random.below(s.patterns.size()));
  }
  return s;
}

ir::QuantParams per_tensor(float scale, int zero) { return {{scale}, {zero}, -1}; }

// The graph as the passes leave it: fused, and integer where `integer`.
ir::Graph make_graph(const Case& c, bool integer, unsigned seed) {
  test::RandomTensors random(seed);
  ir::Graph graph;
  graph.name = "conv";
  const ir::DType type = integer ? ir::DType::u8 : ir::DType::f32;
  const ir::ValueId x = graph.add_input("x", {type, ir::Shape{1, c.c_in, c.height, c.width}, {}});
  const ir::Extents shape{c.c_out, c.c_in / c.groups, c.kernel, c.kernel};
  ir::Constant weight =
      integer ? random.integers<std::int8_t>(shape, -127, 127) : random.f32(shape);
  std::optional<Sparsity> mask;
  if (c.mask != Case::Mask::dense) {
    mask = random_mask(c, integer, random);
    const auto kept = expand_mask(*mask, {c.c_out, c.c_in, c.kernel, c.kernel});
    for (std::size_t i = 0; i < kept.size(); ++i) {
      if (kept[i] != 0) continue;
      if (integer)
        weight.as_mutable<std::int8_t>()[i] = 0;
      else
        weight.as_mutable<float>()[i] = 0;
    }
  }
  const ir::ValueId w = graph.add_constant("w", std::move(weight));
  graph.value(w).sparsity = mask;
  const ir::ValueId b = graph.add_constant(
      "b", integer ? random.integers<std::int32_t>({c.c_out}, -1000, 1000) : random.f32({c.c_out}));
  ir::Conv conv;
  conv.strides = {c.stride, c.stride};
  conv.pads = {c.pad, c.pad, c.pad, c.pad};
  conv.dilations = {c.dilation, c.dilation};
  conv.groups = c.groups;
  if (c.relu)
    conv.epilogue.activation = {ir::Activation::Kind::clip, 0,
                                std::numeric_limits<float>::infinity(), 0, 0};
  if (c.silu && !integer) conv.epilogue.activation.kind = ir::Activation::Kind::silu;
  std::vector<ir::ValueId> inputs{x, w, b};
  if (c.residual) {
    conv.epilogue.residual = true;
    if (integer) conv.epilogue.before_residual = per_tensor(0.07F, 130);
    inputs.push_back(graph.add_input("r", {type, ir::Shape{1, c.c_out, c.height, c.width}, {}}));
  }
  const ir::ValueId y = graph.add_node("y", conv, inputs);
  graph.set_outputs({y});
  if (integer) {
    graph.value(x).type.quant = per_tensor(0.02F, 7);
    ir::QuantParams scales{{}, {}, 0};
    for (int f = 0; f < c.c_out; ++f)
      scales.scale.push_back(0.001F + 0.0001F * static_cast<float>(f)),
          scales.zero_point.push_back(0);
    graph.value(w).type.quant = scales;
    if (c.residual) graph.value(inputs.back()).type.quant = per_tensor(0.03F, 11);
    graph.value(y).type.dtype = c.real_out ? ir::DType::f32 : ir::DType::u8;
    if (!c.real_out) graph.value(y).type.quant = per_tensor(0.05F, c.relu ? 3 : 121);
  }
  return ir::infer_shapes(std::move(graph));
}

// Every family that computes a layer with more than one position.
class ConvKernels : public ::testing::TestWithParam<Case> {
 protected:
  static void expect_agreement(bool integer) {
    const ir::Graph graph = make_graph(GetParam(), integer, 3);
    LowerOptions options;
    options.conv_family = ConvFamily::plane_conv;
    test::expect_agreement(graph, 5, options);
    const bool spatial = is_spatial(graph.value(graph.outputs()[0]));
    if (integer && spatial && GetParam().groups == GetParam().c_in && !GetParam().residual) {
      options.conv_family = ConvFamily::depthwise;
      const Program program = test::expect_agreement(graph, 5, options);
      EXPECT_EQ(program.kernels().count("plane_conv_i8_depthwise_g4"), 1U);
    }
    if (!integer && spatial && GetParam().groups == GetParam().c_in && GetParam().kernel == 3 &&
        GetParam().dilation == 1) {
      options.conv_family = ConvFamily::depthwise;
      const Program program = test::expect_agreement(graph, 5, options);
      EXPECT_EQ(program.kernels().count("depthwise_f32"), 1U);
    }
    if (!spatial || GetParam().groups > 1 || GetParam().real_out) return;
    options.conv_family = ConvFamily::filter_conv;
    const Program program = test::expect_agreement(graph, 5, options);
    EXPECT_EQ(program.kernels().count(integer ? "filter_conv_map_i8" : "filter_conv_map_f32"), 1U);
  }
};

TEST_P(ConvKernels, Fp32AgreesWithTheReferenceOnEveryInstructionSet) {
  if (GetParam().real_out) return;  // the int8 kernels alone have it
  expect_agreement(false);
}

TEST_P(ConvKernels, Int8EqualsTheReferenceOnEveryInstructionSet) { expect_agreement(true); }

INSTANTIATE_TEST_SUITE_P(, ConvKernels, ::testing::ValuesIn(kCases),
                         [](const auto& c) { return c.param.name; });

TEST(ConvLists, RefuseMoreLanesThanTheyCanCount) {
  const Case c{"wide", 70000, 4, 1, 1, 1, 1, 0, 1, 1, Case::Mask::block};
  try {
    lower(make_graph(c, false, 3), {});
    ADD_FAILURE() << "no error";
  } catch (const UserError& error) {
    EXPECT_NE(std::string(error.what()).find("weight \"w\": expected a mask of at most 65535"),
              std::string::npos)
        << error.what();
  }
}

// The kernel of a dense layer with a map of size x size.
std::string kernel_of(int size, int vector_lanes) {
  const Case c{"map", 32, 32, size, size, 3, 1, 1};
  LowerOptions options;
  options.vector_lanes = vector_lanes;
  const Program program = lower(make_graph(c, true, 3), options);
  const auto conv = std::find_if(program.steps.begin(), program.steps.end(),
                                 [](const Step& s) { return s.op == "Conv"; });
  return conv->kernel;
}

TEST(ConvFamilies, SmallMapsAreComputedByFilterWhereVectorsAreWide) {
  EXPECT_EQ(kernel_of(2, 16), "filter_conv_map_i8");
  EXPECT_EQ(kernel_of(4, 16), "filter_conv_map_i8");
  EXPECT_EQ(kernel_of(7, 16), "plane_conv_i8_g8");
  EXPECT_EQ(kernel_of(14, 16), "plane_conv_i8_g8");
  EXPECT_EQ(kernel_of(4, 4), "plane_conv_i8_g8");
}

// The kernel of an int8 depthwise layer.
std::string depthwise_kernel(int kernel, int stride, int dilation = 1) {
  const Case c{"depthwise", 8, 8, 16, 16, kernel, stride, kernel / 2, 8, dilation};
  const Program program = lower(make_graph(c, true, 3), {});
  const auto conv = std::find_if(program.steps.begin(), program.steps.end(),
                                 [](const Step& s) { return s.op == "Conv"; });
  return conv->kernel;
}

TEST(ConvFamilies, DepthwiseLayersTakeFourTapsAtATimeWhereEnoughLieSideBySide) {
  EXPECT_EQ(depthwise_kernel(3, 1), "plane_conv_i8_depthwise_g4");
  EXPECT_EQ(depthwise_kernel(5, 1), "plane_conv_i8_depthwise_g4");
  EXPECT_EQ(depthwise_kernel(5, 2), "plane_conv_i8_depthwise_g4");
  EXPECT_EQ(depthwise_kernel(3, 2), "plane_conv_i8_g4");  // the columns lie in two planes
  EXPECT_EQ(depthwise_kernel(3, 1, 2), "plane_conv_i8_g4");
  EXPECT_EQ(depthwise_kernel(1, 1), "plane_conv_i8_g4");
}

}  // namespace
}  // namespace xgen::lower
