#include "codegen/passes/crop_taps.h"

#include <gtest/gtest.h>

#include "core/ir/infer_shapes.h"
#include "core/reference/evaluate.h"
#include "tests/support/random_graph.h"

namespace xgen::passes {
namespace {

/// x [1, 3, height, width] -> a convolution of 4 filters.
struct Layer {
  std::int64_t height, width, kernel;
  ir::Conv conv;
  std::optional<Sparsity> mask;
};

ir::Graph graph_of(const Layer& layer) {
  test::RandomTensors random(5);
  ir::Graph graph;
  const ir::ValueId x =
      graph.add_input("x", {ir::DType::f32, ir::Shape{1, 3, layer.height, layer.width}, {}});
  const ir::ValueId w = graph.add_constant("w", random.f32({4, 3, layer.kernel, layer.kernel}));
  graph.value(w).sparsity = layer.mask;
  graph.set_outputs(
      {graph.add_node("y", layer.conv, {x, w, graph.add_constant("b", random.f32({4}))})});
  return ir::infer_shapes(graph);
}

/// The kernel's extents and the padding that are left; the results must be the same.
std::string cropped(const Layer& layer) {
  const ir::Graph before = graph_of(layer);
  const ir::Graph after = ir::infer_shapes(crop_taps(before));
  const ir::Constant x = test::RandomTensors(2).f32({1, 3, layer.height, layer.width});
  const ir::Constant want = reference::evaluate(before, {x})[0];
  const ir::Constant got = reference::evaluate(after, {x})[0];
  EXPECT_EQ(got.shape, want.shape);
  EXPECT_TRUE(got.bytes == want.bytes);
  const ir::Node& node = after.nodes()[0];
  const auto& shape = after.constant(node.inputs[1])->shape;
  const auto& pads = node.as<ir::Conv>()->pads;
  const auto& mask = after.value(node.inputs[1]).sparsity;
  return str(shape[2], "x", shape[3], " pads ", pads[0], pads[1], pads[2], pads[3],
             mask ? str(" ", mask->patterns.size(), " patterns of ", mask->patterns.taps()) : "");
}

ir::Conv padded(std::int64_t pad, std::int64_t stride = 1, std::int64_t dilation = 1) {
  ir::Conv conv;
  conv.pads = {pad, pad, pad, pad};
  conv.strides = {stride, stride};
  conv.dilations = {dilation, dilation};
  return conv;
}

TEST(CropTaps, RemovesWhatMeetsPaddingAlone) {
  EXPECT_EQ(cropped({1, 1, 3, padded(1), {}}), "1x1 pads 0000");
  EXPECT_EQ(cropped({1, 6, 3, padded(1), {}}), "1x3 pads 0101");
  EXPECT_EQ(cropped({2, 2, 3, padded(1, 2), {}}), "2x2 pads 0011");
  EXPECT_EQ(cropped({2, 2, 7, padded(3), {}}), "3x3 pads 1111");
  EXPECT_EQ(cropped({4, 4, 3, padded(6, 1, 6), {}}), "1x1 pads 0000");
}

TEST(CropTaps, LeavesWhatMeetsTheImage) {
  EXPECT_EQ(cropped({2, 2, 3, padded(1), {}}), "3x3 pads 1111");
  EXPECT_EQ(cropped({8, 8, 3, padded(1, 2), {}}), "3x3 pads 1111");
  EXPECT_EQ(cropped({3, 3, 3, padded(0), {}}), "3x3 pads 0000");
}

TEST(CropTaps, CropsAMaskWhosePatternsStayAlike) {
  const auto mask = [](std::uint64_t second) {
    return Sparsity{Sparsity::Scheme::pattern, 4, 1, {{{0b000'011'011}, {second}}}, {0, 1, 0}};
  };
  EXPECT_EQ(cropped({1, 1, 3, padded(1), mask(0b110'110'000)}), "1x1 pads 0000 2 patterns of 1");
  // The second pattern would keep two taps of the middle row, the first one.
  EXPECT_EQ(cropped({1, 6, 3, padded(1), mask(0b000'111'010)}), "1x3 pads 0101");
}

}  // namespace
}  // namespace xgen::passes
