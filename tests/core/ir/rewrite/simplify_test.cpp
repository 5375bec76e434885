#include "core/ir/rewrite/simplify.h"

#include <gtest/gtest.h>

#include "core/ir/infer_shapes.h"
#include "core/ir/print.h"

namespace xgen::ir {
namespace {

ValueId integers(Graph& graph, const std::string& name, const std::vector<std::int64_t>& values) {
  return graph.add_constant(
      name, Constant::of<std::int64_t>({static_cast<std::int64_t>(values.size())}, values));
}

Graph with_input(Shape shape) {
  Graph graph;
  graph.name = "g";
  graph.add_input("x", {DType::f32, std::move(shape), {}});
  return graph;
}

std::string simplified(Graph graph, ValueId output) {
  graph.set_outputs({output});
  return print(simplify(infer_shapes(graph)));
}

TEST(Simplify, RemovesWhatChangesNothing) {
  Graph graph = with_input({"N", 4});
  ValueId v = graph.add_node("drop", Dropout{}, {0});
  v = graph.add_node("same", Reshape{}, {v, integers(graph, "s", {-1, 4})});
  v = graph.add_node(
      "all", Slice{},
      {v, integers(graph, "b", {0}), integers(graph, "e", {99}), integers(graph, "a", {1})});
  v = graph.add_node("pad", Pad{}, {v, integers(graph, "p", {0, 0, 0, 0})});
  v = graph.add_node("turn", Transpose{{0, 1}}, {v});
  v = graph.add_node("y", Unary{}, {v});
  EXPECT_EQ(simplified(graph, v), "g(x: f32 [N, 4]) -> y\n  y: f32 [N, 4] = Relu(x)\n");
}

TEST(Simplify, KeepsASliceThatRunsBackwards) {
  Graph graph = with_input({"N", 4});
  ValueId v = graph.add_node("flip", Slice{},
                             {0, integers(graph, "b", {-1}), integers(graph, "e", {INT64_MIN}),
                              integers(graph, "a", {1}), integers(graph, "s", {-1})});
  v = graph.add_node("y", Unary{}, {v});
  EXPECT_NE(simplified(graph, v).find("Slice"), std::string::npos);
}

TEST(Simplify, RemovesAMeanOverOnePosition) {
  Graph one = with_input({"N", 4, 1, 1}), two = with_input({"N", 4, 1, 2});
  const auto with_pool = [](Graph& graph) {
    return graph.add_node("y", Unary{}, {graph.add_node("pool", GlobalAveragePool{}, {0})});
  };
  EXPECT_EQ(simplified(one, with_pool(one)),
            "g(x: f32 [N, 4, 1, 1]) -> y\n  y: f32 [N, 4, 1, 1] = Relu(x)\n");
  EXPECT_NE(simplified(two, with_pool(two)).find("GlobalAveragePool"), std::string::npos);
}

TEST(Simplify, KeepsTheNameOfAnOutput) {
  Graph graph = with_input({"N", 4});
  const ValueId r = graph.add_node("relu", Unary{}, {0});
  const ValueId y = graph.add_node("y", Dropout{}, {r});
  EXPECT_EQ(simplified(graph, y), "g(x: f32 [N, 4]) -> y\n  y: f32 [N, 4] = Relu(x)  # relu\n");
}

TEST(Simplify, MergesTransposesAndReshapes) {
  Graph graph = with_input({"N", 2, 3, 4});
  ValueId v = graph.add_node("a", Transpose{{0, 2, 3, 1}}, {0});
  v = graph.add_node("b", Transpose{{0, 3, 1, 2}}, {v});
  v = graph.add_node("c", Flatten{}, {v});
  v = graph.add_node("d", Reshape{}, {v, integers(graph, "s", {-1, 4, 6})});
  EXPECT_EQ(simplified(graph, v),
            "g(x: f32 [N, 2, 3, 4]) -> d\n"
            "  d: f32 [N, 4, 6] = Reshape(x, i64 {-1, 4, 6})  # c+d\n");
}

TEST(Simplify, KeepsAReshapeThatCopiesAnExtentOfTheOneBefore) {
  Graph graph = with_input({"N", 2, 3, 4});
  ValueId v = graph.add_node("c", Flatten{}, {0});
  v = graph.add_node("d", Reshape{}, {v, integers(graph, "s", {-1, 0, 1})});
  EXPECT_NE(simplified(graph, v).find("Flatten"), std::string::npos);
}

TEST(Simplify, RecognizesSiluAndHardSwish) {
  Graph graph = with_input({"N", 4});
  const ValueId s = graph.add_node("s", Unary{Unary::Kind::sigmoid}, {0});
  ValueId v = graph.add_node("m", Binary{Binary::Kind::mul}, {s, 0});
  Unary gate;
  gate.kind = Unary::Kind::hard_sigmoid;
  gate.alpha = 1.0F / 6.0F;
  gate.beta = 0.5F;
  const ValueId h = graph.add_node("h", gate, {v});
  v = graph.add_node("y", Binary{Binary::Kind::mul}, {v, h});
  EXPECT_EQ(simplified(graph, v),
            "g(x: f32 [N, 4]) -> y\n"
            "  m: f32 [N, 4] = Silu(x)  # s+m\n"
            "  y: f32 [N, 4] = HardSwish(m)  # h+y\n");
}

TEST(Simplify, KeepsASigmoidWithAnotherReader) {
  Graph graph = with_input({"N", 4});
  const ValueId s = graph.add_node("s", Unary{Unary::Kind::sigmoid}, {0});
  const ValueId m = graph.add_node("m", Binary{Binary::Kind::mul}, {s, 0});
  const ValueId y = graph.add_node("y", Binary{}, {s, m});
  EXPECT_EQ(simplified(graph, y).find("Silu"), std::string::npos);
}

}  // namespace
}  // namespace xgen::ir
