#include "core/ir/node_size.h"

#include <gtest/gtest.h>

#include "core/ir/infer_shapes.h"

namespace xgen::ir {
namespace {

Graph graph_of(Shape input) {
  Graph graph;
  graph.add_input("x", {DType::f32, std::move(input), {}});
  return graph;
}

NodeSize sizes(Graph graph, ValueId output) {
  graph.set_outputs({output});
  return size_of_graph(infer_shapes(graph));
}

TEST(NodeSize, CountsAConvolutionPerSample) {
  Graph graph = graph_of({"N", 2, 5, 5});
  std::vector<float> w(4 * 2 * 3 * 3, 1);
  w[0] = 0;
  w[1] = -0.0F;
  const ValueId weight =
      graph.add_constant("w", Constant::of<float>({4, 2, 3, 3}, w, Role::parameter));
  const ValueId bias =
      graph.add_constant("b", Constant::of<float>({4}, {1, 0, 1, 1}, Role::parameter));
  const NodeSize size = sizes(graph, graph.add_node("y", Conv{}, {0, weight, bias}));
  EXPECT_EQ(size.dense_macs, 4 * 3 * 3 * 2 * 9);
  EXPECT_EQ(size.macs, size.dense_macs);
  EXPECT_EQ(size.parameters, 72 + 4);
  EXPECT_EQ(size.nonzero, 70 + 3);
  EXPECT_EQ(size.scheme, "dense");
  graph.set_outputs({graph.find("y")});
  const NodeSize unread = size_of_graph(infer_shapes(graph), false);
  EXPECT_EQ(unread.parameters, size.parameters);
  EXPECT_EQ(unread.macs, size.macs);
  EXPECT_EQ(unread.nonzero, 0);
}

TEST(NodeSize, LeavesOutWhatAMaskSkips) {
  Sparsity mask;
  mask.scheme = Sparsity::Scheme::block;
  mask.group_out = 2;
  mask.patterns = PatternSet{{{1}}};
  mask.kept = {0, -1, -1, -1};
  for (const bool structured : {true, false}) {
    Graph graph = graph_of({1, 2, 3, 3});
    const ValueId weight = graph.add_constant(
        "w", Constant::of<float>({4, 2, 1, 1}, {1, 0, 1, 0, 0, 0, 0, 0}, Role::parameter));
    if (!structured) mask.scheme = Sparsity::Scheme::unstructured;
    graph.value(weight).sparsity = mask;
    const NodeSize size = sizes(graph, graph.add_node("y", Conv{}, {0, weight}));
    EXPECT_EQ(size.dense_macs, 72);
    EXPECT_EQ(size.macs, structured ? 18 : 72);
    EXPECT_EQ(size.nonzero, 2);
    EXPECT_EQ(size.scheme, "sparse");
  }
}

TEST(NodeSize, CountsASharedWeightOnceAndItsWorkTwice) {
  Graph graph = graph_of({1, 3});
  const ValueId weight = graph.add_constant(
      "w", Constant::of<float>({3, 3}, std::vector<float>(9, 1), Role::parameter));
  const ValueId once = graph.add_node("a", MatMul{}, {0, weight});
  const NodeSize size = sizes(graph, graph.add_node("y", MatMul{}, {once, weight}));
  EXPECT_EQ(size.parameters, 9);
  EXPECT_EQ(size.macs, 18);
}

TEST(NodeSize, FindsIntegersBehindADequantization) {
  Graph graph = graph_of({1, 3});
  const ValueId integers =
      graph.add_constant("w", Constant::of<std::int8_t>({3, 2}, {1, 2, 0, 4, 5, -6}));
  const ValueId scale = graph.add_constant("s", Constant::scalar<float>(0.1F));
  const ValueId weight = graph.add_node("dq", DequantizeLinear{}, {integers, scale});
  const NodeSize size = sizes(graph, graph.add_node("y", Gemm{}, {0, weight}));
  EXPECT_EQ(size.parameters, 6);
  EXPECT_EQ(size.nonzero, 5);
  EXPECT_EQ(size.macs, 6);
}

TEST(NodeSize, DoesNotTakeTablesForParameters) {
  Graph graph = graph_of({1, 3});
  const ValueId offset = graph.add_constant("b", Constant::of<float>({3}, {1, 2, 3}));
  EXPECT_EQ(sizes(graph, graph.add_node("y", Binary{}, {0, offset})).parameters, 0);
}

}  // namespace
}  // namespace xgen::ir
