#include "core/ir/infer_shapes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace xgen::ir {
namespace {

using testing::HasSubstr;

TensorType f32(Shape shape) { return {DType::f32, std::move(shape), {}}; }

ValueId integers(Graph& graph, const std::string& name, const std::vector<std::int64_t>& values) {
  return graph.add_constant(
      name, Constant::of<std::int64_t>({static_cast<std::int64_t>(values.size())}, values));
}

ValueId weight(Graph& graph, const Extents& shape) {
  return graph.add_constant(
      "w", Constant::of<float>(
               shape, std::vector<float>(static_cast<std::size_t>(element_count(shape)), 1)));
}

Shape inferred(const Graph& graph, ValueId id) {
  return *infer_values(graph)[static_cast<std::size_t>(id)].type.shape;
}

std::string message_of(const Graph& graph) {
  try {
    infer_shapes(graph);
  } catch (const UserError& e) {
    return e.what();
  }
  return "no error";
}

TEST(InferShapes, CarriesASymbolicBatchThroughConvolutionAndPooling) {
  Graph graph;
  const ValueId x = graph.add_input("x", f32({"N", 3, 32, 30}));
  Conv conv;
  conv.strides = {2, 1};
  conv.pads = {1, 0, 1, 2};
  const ValueId c = graph.add_node("conv", conv, {x, weight(graph, {8, 3, 3, 3})});
  MaxPool pool;
  pool.kernel = {3, 3};
  pool.strides = {2, 2};
  pool.ceil_mode = true;
  const ValueId p = graph.add_node("pool", pool, {c});
  EXPECT_EQ(inferred(graph, c), (Shape{"N", 8, 16, 30}));
  EXPECT_EQ(inferred(graph, p), (Shape{"N", 8, 8, 15}));
}

TEST(InferShapes, CeilModeDropsAWindowThatWouldStartInTheFinalPadding) {
  Graph graph;
  const ValueId x = graph.add_input("x", f32({1, 1, 3, 3}));
  MaxPool pool;
  pool.kernel = {2, 2};
  pool.strides = {2, 2};
  pool.pads = {1, 1, 1, 1};
  pool.ceil_mode = true;
  // Without the rule 3 windows: the last would start at 4, where 0..3 holds padding and input.
  EXPECT_EQ(inferred(graph, graph.add_node("pool", pool, {x})), (Shape{1, 1, 2, 2}));
}

TEST(InferShapes, EvaluatesTheShapeArithmeticOfAFlatten) {
  Graph graph;
  const ValueId x = graph.add_input("x", f32({"N", 64, 1, 1}));
  const ValueId shape = graph.add_node("shape", ShapeOf{}, {x});
  const ValueId zero = graph.add_constant("zero", Constant::scalar<std::int64_t>(0));
  const ValueId batch = graph.add_node("batch", Gather{0}, {shape, zero});
  const ValueId row = graph.add_node("row", Unsqueeze{}, {batch, integers(graph, "axes", {0})});
  const ValueId target = graph.add_node("target", Concat{0}, {row, integers(graph, "rest", {-1})});
  const ValueId y = graph.add_node("y", Reshape{}, {x, target});
  const auto values = infer_values(graph);
  EXPECT_EQ(*values[static_cast<std::size_t>(target)].elements, (std::vector<Dim>{"N", -1}));
  EXPECT_EQ(*values[static_cast<std::size_t>(y)].type.shape, (Shape{"N", 64}));
}

TEST(InferShapes, ReshapesWithASymbolInTheProduct) {
  Graph graph;
  const ValueId x = graph.add_input("x", f32({"N", 9, 4}));
  const ValueId y = graph.add_node("y", Reshape{}, {x, integers(graph, "s", {-1, 3, 3, 4})});
  EXPECT_EQ(inferred(graph, y), (Shape{"N", 3, 3, 4}));
  const ValueId z = graph.add_node("z", Reshape{}, {y, integers(graph, "t", {0, -1})});
  EXPECT_EQ(inferred(graph, z), (Shape{"N", 36}));
}

TEST(InferShapes, SlicesForwardsAndBackwards) {
  Graph graph;
  const ValueId x = graph.add_input("x", f32({"N", 10}));
  const ValueId ones = integers(graph, "axes", {1});
  const auto slice = [&](std::int64_t start, std::int64_t end, std::int64_t step) {
    const std::string name = str("s", start, "_", end, "_", step);
    return inferred(graph, graph.add_node(name, Slice{},
                                          {x, integers(graph, name + "b", {start}),
                                           integers(graph, name + "e", {end}), ones,
                                           integers(graph, name + "s", {step})}))[1];
  };
  EXPECT_EQ(slice(1, 9, 2), Dim(4));
  EXPECT_EQ(slice(-3, INT64_MAX, 1), Dim(3));
  EXPECT_EQ(slice(-1, INT64_MIN, -3), Dim(4));
  EXPECT_EQ(slice(8, 2, 1), Dim(std::int64_t{0}));
}

TEST(InferShapes, MultipliesMatricesWithBroadcastBatches) {
  Graph graph;
  const ValueId a = graph.add_input("a", f32({"N", 1, 4, 5}));
  const ValueId b = graph.add_input("b", f32({7, 5, 6}));
  EXPECT_EQ(inferred(graph, graph.add_node("y", MatMul{}, {a, b})), (Shape{"N", 7, 4, 6}));
}

TEST(InferShapes, NamesTheNodeWhoseShapesDoNotFit) {
  Graph graph;
  const ValueId x = graph.add_input("x", f32({"N", 4, 8, 8}));
  graph.add_node("conv1", Conv{}, {x, weight(graph, {8, 3, 3, 3})});
  EXPECT_EQ(message_of(graph),
            "node \"conv1\" (Conv): the input has 4 channels, the weight [8, 3, 3, 3] with 1 "
            "groups expects 3");
}

TEST(InferShapes, RefusesWhatCannotBeBroadcast) {
  Graph graph;
  const ValueId a = graph.add_input("a", f32({"N", 4}));
  const ValueId b = graph.add_input("b", f32({"N", 5}));
  graph.add_node("sum", Binary{}, {a, b});
  EXPECT_EQ(message_of(graph), "node \"sum\" (Add): shapes [N, 4] and [N, 5] cannot be broadcast");
}

TEST(InferShapes, RefusesAShapeThatIsComputedFromData) {
  Graph graph;
  const ValueId x = graph.add_input("x", f32({"N", 4}));
  const ValueId s = graph.add_input("s", {DType::i64, Shape{2}, {}});
  graph.add_node("view", Reshape{}, {x, s});
  EXPECT_EQ(message_of(graph),
            "node \"view\" (Reshape): the new shape must be known without running the model, but "
            "\"s\" is computed from data");
}

TEST(InferShapes, RefusesAReshapeToAnotherCount) {
  Graph graph;
  const ValueId x = graph.add_input("x", f32({"N", 4}));
  graph.add_node("view", Reshape{}, {x, integers(graph, "s", {1, 4})});
  EXPECT_EQ(message_of(graph), "node \"view\" (Reshape): cannot reshape [N, 4] to [1, 4]");
}

TEST(InferShapes, RefusesAWindowLargerThanItsInput) {
  Graph graph;
  const ValueId x = graph.add_input("x", f32({1, 1, 2, 2}));
  graph.add_node("conv", Conv{}, {x, weight(graph, {1, 1, 3, 3})});
  EXPECT_THAT(message_of(graph), HasSubstr("a window of 3 does not fit into 2 + 0 + 0"));
}

TEST(BindDims, BindsACopy) {
  Graph graph;
  const ValueId x = graph.add_input("x", f32({"N", 3, "H", "W"}));
  Conv conv;
  conv.pads = {1, 1, 1, 1};
  conv.strides = {2, 2};
  const ValueId y = graph.add_node("conv", conv, {x, weight(graph, {4, 3, 3, 3})});
  graph.set_outputs({y});
  graph = infer_shapes(graph);
  EXPECT_EQ(free_symbols(graph), (std::vector<std::string>{"N", "H", "W"}));
  const Graph bound = bind_dims(graph, {{"N", 2}, {"H", 10}, {"W", 11}});
  EXPECT_EQ(*bound.value(y).type.shape, (Shape{2, 4, 5, 6}));
  EXPECT_FALSE(is_static(*graph.value(y).type.shape));
}

TEST(BindDims, SaysWhichDimensionsThereAre) {
  Graph graph;
  graph.add_input("x", f32({"N", 3, "H", 4}));
  const auto message = [&](const std::map<std::string, std::int64_t>& sizes) -> std::string {
    try {
      bind_dims(graph, sizes);
    } catch (const UserError& e) {
      return e.what();
    }
    return "no error";
  };
  EXPECT_EQ(message({{"K", 1}}), "the model has no dimension \"K\"; it has \"N\", \"H\"");
  EXPECT_EQ(message({{"N", 0}}), "dimension \"N\": expected at least 1, got 0");
}

}  // namespace
}  // namespace xgen::ir
