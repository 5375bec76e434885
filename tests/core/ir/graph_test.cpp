#include "core/ir/graph.h"

#include <gtest/gtest.h>

#include "core/ir/print.h"

namespace xgen::ir {
namespace {

// x -> relu a -> relu b; a rule that merges two relus into one.
std::optional<Patch> merge_relus(const Graph& graph, const UseMap& uses, const Node& node) {
  if (!node.as<Unary>()) return std::nullopt;
  const int before = uses.producer[static_cast<std::size_t>(node.inputs[0])];
  if (before < 0) return std::nullopt;
  const Node& first = graph.nodes()[static_cast<std::size_t>(before)];
  if (!first.as<Unary>() || uses.uses[static_cast<std::size_t>(first.output())] != 1)
    return std::nullopt;
  Patch patch(graph);
  patch.remove(first).remove(node).add(first.name + "+" + node.name, node.op, first.inputs,
                                       node.outputs);
  return patch;
}

Graph chain(int length) {
  Graph graph;
  ValueId x = graph.add_input("x", {DType::f32, Shape{"N", 3}, {}});
  for (int i = 0; i < length; ++i) x = graph.add_node(str("r", i), Unary{}, {x});
  graph.set_outputs({x});
  return graph;
}

TEST(Rewrite, AppliesUntilNothingIsLeftAndKeepsNamesAndOutputs) {
  const Graph merged = rewrite(chain(4), "merge", merge_relus);
  ASSERT_EQ(merged.nodes().size(), 1U);
  EXPECT_EQ(merged.nodes()[0].name, "r0+r1+r2+r3");
  EXPECT_EQ(merged.value(merged.outputs()[0]).name, "r3");
}

TEST(Rewrite, StopsAfterTheGivenNumberOfPatches) {
  EXPECT_EQ(rewrite(chain(4), "merge", merge_relus, 1).nodes().size(), 3U);
}

TEST(Graph, PrunedDropsDeadNodesAndTheirConstants) {
  Graph graph = chain(2);
  const ValueId c = graph.add_constant("c", Constant::scalar(1.0F));
  graph.add_node("dead", Binary{}, {graph.outputs()[0], c});
  const Graph live = graph.pruned();
  EXPECT_EQ(live.nodes().size(), 2U);
  EXPECT_EQ(live.find("c"), kNoValue);
  EXPECT_NE(live.find("x"), kNoValue);
}

TEST(Graph, PrunedKeepsNamesOfWhatIsLeft) {
  Graph graph;
  const ValueId dead = graph.add_constant("dead", Constant::scalar(1.0F));
  const ValueId x = graph.add_input("x", {DType::f32, Shape{4}, {}});
  graph.add_node("unread", Binary{}, {x, dead});
  graph.set_outputs({graph.add_node("y", Unary{}, {x})});
  const Graph copied = graph.pruned(), moved = std::move(graph).pruned();
  EXPECT_EQ(print(copied), print(moved));
  ASSERT_EQ(moved.values().size(), 2U);
  for (const char* name : {"x", "y"}) EXPECT_EQ(moved.value(moved.find(name)).name, name);
  EXPECT_EQ(moved.find("dead"), kNoValue);
  Graph again = moved;
  EXPECT_EQ(again.value(again.add_constant("dead", Constant::scalar(1.0F))).name, "dead");
}

TEST(Graph, TakenNamesGetASuffix) {
  Graph graph = chain(1);
  const ValueId again = graph.add_node("r0", Unary{}, {graph.inputs()[0]});
  EXPECT_EQ(graph.value(again).name, "r0_1");
}

}  // namespace
}  // namespace xgen::ir
