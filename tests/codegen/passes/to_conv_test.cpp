#include "codegen/passes/to_conv.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "core/ir/infer_shapes.h"
#include "core/ir/print.h"
#include "tests/support/random_graph.h"

namespace xgen::passes {
namespace {

using ir::Constant;
using ir::DType;
using ir::ValueId;

ir::Graph graph_of(ir::Shape input) {
  ir::Graph graph;
  graph.name = "g";
  graph.add_input("x", {DType::f32, std::move(input), {}});
  return graph;
}

ir::Graph converted(ir::Graph graph, ValueId output) {
  graph.set_outputs({output});
  return to_conv(ir::infer_shapes(std::move(graph)));
}

std::string text(ir::Graph graph, ValueId output) {
  graph.set_outputs({output});
  return ir::print(ir::infer_shapes(std::move(graph)));
}

TEST(ToConv, MakesAGemmBehindAFlattenOnePositionOfAConvolution) {
  ir::Graph graph = graph_of({1, 2, 3, 3});
  const ValueId flat = graph.add_node("flat", ir::Flatten{}, {0});
  ir::Gemm gemm;
  gemm.trans_b = true;
  gemm.alpha = 2;
  gemm.beta = 0.5F;
  test::RandomTensors random(1);
  const Constant weight = random.f32({4, 18}), bias = random.f32({4});
  const ValueId y = graph.add_node(
      "y", gemm, {flat, graph.add_constant("w", weight), graph.add_constant("b", bias)});
  const ir::Graph got = converted(graph, y);

  ir::Graph want = graph_of({1, 2, 3, 3});
  Constant filters = weight;
  filters.shape = {4, 2, 3, 3};
  for (float& v : filters.as_mutable<float>()) v *= 2;
  Constant half = bias;
  for (float& v : half.as_mutable<float>()) v *= 0.5F;
  const ValueId c = want.add_node(
      "y", ir::Conv{},
      {0, want.add_constant("w_filters", filters), want.add_constant("y_bias", half)}, "y_4d");
  EXPECT_EQ(ir::print(got), text(want, want.add_node("y_flat", ir::Flatten{}, {c}, "y")));

  const ir::Node* conv = got.find_node("y");
  ASSERT_NE(conv, nullptr);
  EXPECT_THAT(got.constant(conv->inputs[1])->as<float>(),
              ::testing::ElementsAreArray(filters.as<float>()));
  EXPECT_THAT(got.constant(conv->inputs[2])->as<float>(),
              ::testing::ElementsAreArray(half.as<float>()));
}

TEST(ToConv, MakesAMatMulOfAVectorAPointwiseConvolutionWithTransposedWeight) {
  ir::Graph graph = graph_of({1, 3});
  const Constant weight = Constant::of<float>({3, 2}, {1, 2, 3, 4, 5, 6});
  const ValueId y = graph.add_node("y", ir::MatMul{}, {0, graph.add_constant("w", weight)});
  const ir::Graph got = converted(graph, y);

  ir::Graph want = graph_of({1, 3});
  const ValueId shape = want.add_constant("y_shape", Constant::of<std::int64_t>({4}, {1, 3, 1, 1}));
  const ValueId x4 = want.add_node("y_4d", ir::Reshape{}, {0, shape}, "x_4d");
  const Constant filters = Constant::of<float>({2, 3, 1, 1}, {1, 3, 5, 2, 4, 6});
  const ValueId c =
      want.add_node("y", ir::Conv{}, {x4, want.add_constant("w_filters", filters)}, "y_4d");
  EXPECT_EQ(ir::print(got), text(want, want.add_node("y_flat", ir::Flatten{}, {c}, "y")));
  EXPECT_THAT(got.constant(got.find_node("y")->inputs[1])->as<float>(),
              ::testing::ElementsAre(1, 3, 5, 2, 4, 6));
}

// Of a weight of 4 filters x 4 channels.
Sparsity every_second_channel() {
  Sparsity mask;
  mask.scheme = Sparsity::Scheme::block;
  mask.group_out = 4;
  mask.patterns = PatternSet{{{1}}};
  mask.kept = {0, -1, 0, -1};
  return mask;
}

TEST(ToConv, KeepsTheMaskOfAPointwiseWeight) {
  ir::Graph graph = graph_of({1, 4});
  ir::Gemm gemm;
  gemm.trans_b = true;
  const ValueId w = graph.add_constant("w", test::RandomTensors(1).f32({4, 4}));
  const Sparsity mask = every_second_channel();
  graph.value(w).sparsity = mask;
  const ir::Graph got = converted(graph, graph.add_node("y", gemm, {0, w}));
  EXPECT_EQ(got.value(got.find_node("y")->inputs[1]).sparsity, mask);
}

TEST(ToConv, KeepsTheMaskOfAGemmBehindAFlattenByStayingBehindIt) {
  ir::Graph graph = graph_of({1, 1, 2, 2});
  ir::Gemm gemm;
  gemm.trans_b = true;
  const ValueId flat = graph.add_node("flat", ir::Flatten{}, {0});
  const ValueId w = graph.add_constant("w", test::RandomTensors(1).f32({4, 4}));
  const Sparsity mask = every_second_channel();
  graph.value(w).sparsity = mask;
  const ir::Graph got = converted(graph, graph.add_node("y", gemm, {flat, w}));
  const ValueId filters = got.find_node("y")->inputs[1];
  EXPECT_EQ(got.value(filters).sparsity, mask);
  EXPECT_EQ(got.constant(filters)->shape, (ir::Extents{4, 4, 1, 1}));
}

TEST(ToConv, LeavesAGemmOfSeveralRows) {
  ir::Graph graph = graph_of({2, 3});
  const ValueId y = graph.add_node(
      "y", ir::Gemm{}, {0, graph.add_constant("w", test::RandomTensors(1).f32({3, 2}))});
  EXPECT_EQ(ir::print(converted(graph, y)), text(graph, y));
}

TEST(ToConv, LeavesAProductOfTwoComputedTensors) {
  ir::Graph graph = graph_of({1, 3});
  const ValueId b = graph.add_input("b", {DType::f32, ir::Shape{3, 2}, {}});
  const ValueId y = graph.add_node("y", ir::Gemm{}, {0, b});
  EXPECT_EQ(ir::print(converted(graph, y)), text(graph, y));
}

TEST(ToConv, MakesABatchNormADepthwiseConvolution) {
  ir::Graph graph = graph_of({1, 2, 3, 3});
  ir::BatchNorm bn;
  bn.epsilon = 0;
  const auto constant = [&](const char* name, float a, float b) {
    return graph.add_constant(name, Constant::of<float>({2}, {a, b}));
  };
  const ValueId y = graph.add_node("y", bn,
                                   {0, constant("scale", 2, 3), constant("shift", 10, 20),
                                    constant("mean", 1, 2), constant("variance", 4, 9)});
  const ir::Graph got = converted(graph, y);
  ASSERT_EQ(got.nodes().size(), 1U);
  const ir::Node& node = got.nodes()[0];
  ASSERT_NE(node.as<ir::Conv>(), nullptr);
  EXPECT_EQ(node.as<ir::Conv>()->groups, 2);
  EXPECT_THAT(got.constant(node.inputs[1])->as<float>(), ::testing::ElementsAre(1, 1));
  EXPECT_THAT(got.constant(node.inputs[2])->as<float>(), ::testing::ElementsAre(9, 18));
}

TEST(ToConv, MakesMeansOverTheImageGlobalPools) {
  ir::Graph graph = graph_of({1, 2, 4, 4});
  const ValueId axes = graph.add_constant("axes", Constant::of<std::int64_t>({2}, {-1, 2}));
  const ValueId mean = graph.add_node("mean", ir::Reduce{}, {0, axes});
  ir::AveragePool pool;
  pool.kernel = {4, 4};
  const ValueId whole = graph.add_node("whole", pool, {0});
  graph.set_outputs({mean, whole});
  const ir::Graph got = to_conv(ir::infer_shapes(graph));
  for (const ir::Node& n : got.nodes()) EXPECT_NE(n.as<ir::GlobalAveragePool>(), nullptr) << n.name;
}

TEST(ToConv, LeavesMeansOverOtherAxes) {
  ir::Graph graph = graph_of({1, 2, 4, 4});
  const ValueId axes = graph.add_constant("axes", Constant::of<std::int64_t>({2}, {1, 2}));
  const ValueId y = graph.add_node("y", ir::Reduce{}, {0, axes});
  EXPECT_EQ(ir::print(converted(graph, y)), text(graph, y));
}

}  // namespace
}  // namespace xgen::passes
