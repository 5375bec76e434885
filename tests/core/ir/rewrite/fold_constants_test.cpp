#include "core/ir/rewrite/fold_constants.h"

#include <gtest/gtest.h>

#include "core/ir/infer_shapes.h"
#include "core/ir/print.h"

namespace xgen::ir {
namespace {

ValueId integers(Graph& graph, const std::string& name, const std::vector<std::int64_t>& values) {
  return graph.add_constant(
      name, Constant::of<std::int64_t>({static_cast<std::int64_t>(values.size())}, values));
}

TEST(FoldConstants, EvaluatesAndKeepsTheRole) {
  Graph graph;
  graph.name = "g";
  const ValueId x = graph.add_input("x", {DType::f32, Shape{"N", 2}, {}});
  const ValueId w = graph.add_constant("w", Constant::of<float>({1, 2}, {1, 2}, Role::parameter));
  const ValueId t = graph.add_node("t", Transpose{{1, 0}}, {w});
  graph.set_outputs({graph.add_node("y", MatMul{}, {x, t})});
  graph = fold_constants(infer_shapes(graph));
  EXPECT_EQ(print(graph),
            "g(x: f32 [N, 2]) -> y\n  y: f32 [N, 1] = MatMul(x, t.folded: f32 [2, 1])\n");
  EXPECT_EQ(graph.constant(graph.find("t.folded"))->role, Role::parameter);
}

TEST(FoldConstants, MakesTheTargetOfAFlattenConstant) {
  Graph graph;
  graph.name = "g";
  const ValueId x = graph.add_input("x", {DType::f32, Shape{"N", 8, 2}, {}});
  const ValueId shape = graph.add_node("shape", ShapeOf{}, {x});
  const ValueId batch = graph.add_node("batch", Gather{0}, {shape, integers(graph, "zero", {0})});
  const ValueId target = graph.add_node("target", Concat{0}, {batch, integers(graph, "m", {-1})});
  graph.set_outputs({graph.add_node("y", Reshape{}, {x, target})});
  EXPECT_EQ(print(fold_constants(infer_shapes(graph))),
            "g(x: f32 [N, 8, 2]) -> y\n  y: f32 [N, 16] = Reshape(x, i64 {0, 16})\n");
}

TEST(FoldConstants, FoldsShapesWithoutSymbols) {
  Graph graph;
  graph.name = "g";
  const ValueId x = graph.add_input("x", {DType::f32, Shape{"N", 8}, {}});
  const ValueId shape = graph.add_node("shape", ShapeOf{1, 2}, {x});
  const ValueId real = graph.add_node("real", Cast{DType::f32}, {shape});
  graph.set_outputs({graph.add_node("y", Binary{Binary::Kind::div}, {x, real})});
  EXPECT_EQ(print(fold_constants(infer_shapes(graph))),
            "g(x: f32 [N, 8]) -> y\n  y: f32 [N, 8] = Div(x, f32 {8})\n");
}

TEST(FoldConstants, LeavesDequantizedWeightsAndOutputs) {
  Graph graph;
  const ValueId q = graph.add_constant("q", Constant::of<std::int8_t>({2}, {1, 2}));
  const ValueId s = graph.add_constant("s", Constant::scalar(0.5F));
  const ValueId w = graph.add_node("w", DequantizeLinear{}, {q, s});
  const ValueId n = graph.add_node("n", Unary{Unary::Kind::neg}, {s});
  graph.set_outputs({w, n});
  EXPECT_EQ(fold_constants(infer_shapes(graph)).nodes().size(), 2U);
}

}  // namespace
}  // namespace xgen::ir
