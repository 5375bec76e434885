#include "prune/layers.h"

#include <gtest/gtest.h>

namespace xgen::prune {
namespace {

ir::ValueId typed(ir::Graph& graph, ir::ValueId id, ir::Shape shape) {
  graph.value(id).type.shape = std::move(shape);
  return id;
}

ir::ValueId weight(ir::Graph& graph, const std::string& name, const ir::Extents& shape) {
  return graph.add_constant(
      name, ir::Constant::of<float>(
                shape, std::vector<float>(static_cast<std::size_t>(ir::element_count(shape)), 1),
                ir::Role::parameter));
}

/// stem 3 -> 8, body 8 -> 8, depthwise, 1x1 read twice, classifier.
ir::Graph network() {
  ir::Graph g;
  const auto x = g.add_input("x", {ir::DType::f32, ir::Shape{"N", 3, 8, 8}, {}});
  ir::Conv same;
  same.pads = {1, 1, 1, 1};
  ir::Conv depthwise = same;
  depthwise.groups = 8;
  const ir::Shape map{"N", 8, 8, 8};
  auto h = typed(g, g.add_node("stem", same, {x, weight(g, "stem.w", {8, 3, 3, 3})}), map);
  h = typed(g, g.add_node("body", same, {h, weight(g, "body.w", {8, 8, 3, 3})}), map);
  h = typed(g, g.add_node("dw", depthwise, {h, weight(g, "dw.w", {8, 1, 3, 3})}), map);
  const auto shared = weight(g, "point.w", {8, 8, 1, 1});
  h = typed(g, g.add_node("point1", ir::Conv{}, {h, shared}), map);
  h = typed(g, g.add_node("point2", ir::Conv{}, {h, shared}), map);
  h = typed(g, g.add_node("pool", ir::GlobalAveragePool{}, {h}), {"N", 8, 1, 1});
  h = typed(g, g.add_node("flat", ir::Flatten{}, {h}), {"N", 8});
  h = typed(g, g.add_node("hidden", ir::MatMul{}, {h, weight(g, "hidden.w", {8, 16})}), {"N", 16});
  ir::Gemm gemm;
  gemm.trans_b = true;
  h = typed(g, g.add_node("fc", gemm, {h, weight(g, "fc.w", {10, 16})}), {"N", 10});
  g.set_outputs({typed(g, g.add_node("probability", ir::Softmax{}, {h}), {"N", 10})});
  return g;
}

const Layer& find(const std::vector<Layer>& layers, const std::string& node) {
  for (const Layer& layer : layers) {
    if (layer.node == node) return layer;
  }
  throw std::out_of_range(node);
}

TEST(LayersOf, CountsMacsAndReadsBothLayoutsOfFullyConnectedWeights) {
  const std::vector<Layer> layers = layers_of(network());
  ASSERT_EQ(layers.size(), 6U);
  EXPECT_EQ(find(layers, "body").macs, 64 * 8 * 8 * 9);
  EXPECT_TRUE(find(layers, "body").prunable);
  const Layer& hidden = find(layers, "hidden");
  EXPECT_TRUE(hidden.transposed);
  EXPECT_EQ(hidden.shape.c_out, 16);
  EXPECT_EQ(hidden.shape.c_in, 8);
  EXPECT_EQ(hidden.macs, 128);
  EXPECT_FALSE(find(layers, "fc").transposed);
  EXPECT_EQ(find(layers, "fc").shape.c_out, 10);
}

TEST(LayersOf, SaysWhyALayerStaysDense) {
  const std::vector<Layer> layers = layers_of(network(), {"b?d*"});
  EXPECT_EQ(find(layers, "stem").reason, "its 3 input channels are less than one lane of int8");
  EXPECT_EQ(find(layers, "dw").reason, "it is a grouped convolution (groups = 8)");
  EXPECT_EQ(find(layers, "body").reason, "excluded by \"b?d*\"");
  for (const char* node : {"stem", "dw", "body"}) EXPECT_FALSE(find(layers, node).prunable);
}

TEST(LayersOf, TakesAWeightWithTwoReadersOnce) {
  const std::vector<Layer> layers = layers_of(network());
  EXPECT_EQ(find(layers, "point1").macs, 2 * 64 * 64);
  EXPECT_THROW(find(layers, "point2"), std::out_of_range);
}

TEST(LayersOf, FindsTheLayerThatComputesAnOutput) {
  const std::vector<Layer> layers = layers_of(network());
  EXPECT_TRUE(find(layers, "fc").is_output);
  EXPECT_FALSE(find(layers, "hidden").is_output);
}

TEST(LayersOf, RefusesAGlobThatMatchesNothing) {
  try {
    layers_of(network(), {"bodi"});
    FAIL();
  } catch (const UserError& error) {
    EXPECT_STREQ(error.what(),
                 "exclude: \"bodi\" matches no layer with weights; did you mean \"body\"?");
  }
}

}  // namespace
}  // namespace xgen::prune
