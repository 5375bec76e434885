#include "core/ir/verify.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/ir/infer_shapes.h"

namespace xgen::ir {
namespace {

using testing::HasSubstr;

Graph two_relus() {
  Graph graph;
  const ValueId x = graph.add_input("x", {DType::f32, Shape{"N", 3}, {}});
  const ValueId a = graph.add_node("a", Unary{}, {x});
  graph.set_outputs({graph.add_node("b", Unary{}, {a})});
  return infer_shapes(graph);
}

std::string message_of(const Graph& graph) {
  try {
    verify(graph, "pass");
  } catch (const InternalError& e) {
    return e.what();
  }
  return "no error";
}

TEST(Verify, AcceptsAGoodGraph) { EXPECT_EQ(message_of(two_relus()), "no error"); }

TEST(Verify, FindsAWrongOrder) {
  Graph graph = two_relus();
  std::swap(graph.mutable_nodes()[0], graph.mutable_nodes()[1]);
  EXPECT_THAT(message_of(graph),
              HasSubstr("after pass: node \"b\" (Relu) reads \"a\" before it is computed"));
}

TEST(Verify, FindsTwoNodesOfOneName) {
  Graph graph = two_relus();
  graph.mutable_nodes()[1].name = "a";
  EXPECT_THAT(message_of(graph), HasSubstr("two nodes are called \"a\""));
}

TEST(Verify, FindsAWrongNumberOfInputs) {
  Graph graph = two_relus();
  graph.mutable_nodes()[1].inputs.push_back(0);
  EXPECT_THAT(message_of(graph), HasSubstr("node \"b\" (Relu) has 2 inputs"));
}

TEST(Verify, FindsAValueComputedTwice) {
  Graph graph = two_relus();
  graph.mutable_nodes()[1].outputs = graph.nodes()[0].outputs;
  EXPECT_THAT(message_of(graph), HasSubstr("computes \"a\" a second time"));
}

TEST(Verify, FindsAMissingShape) {
  Graph graph = two_relus();
  graph.value(graph.find("a")).type.shape.reset();
  EXPECT_THAT(message_of(graph), HasSubstr("value \"a\" has no shape"));
}

}  // namespace
}  // namespace xgen::ir
