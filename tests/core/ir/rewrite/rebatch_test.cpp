#include "core/ir/rewrite/rebatch.h"

#include <gtest/gtest.h>

#include "core/ir/infer_shapes.h"
#include "core/ir/print.h"

namespace xgen::ir {
namespace {

ValueId integers(Graph& graph, const std::string& name, const std::vector<std::int64_t>& values) {
  return graph.add_constant(
      name, Constant::of<std::int64_t>({static_cast<std::int64_t>(values.size())}, values));
}

template <class Build>
RebatchResult rebatched(const Shape& input, Build&& build) {
  Graph graph;
  graph.name = "g";
  const ValueId x = graph.add_input("x", {DType::f32, input, {}});
  graph.set_outputs({build(graph, x)});
  return rebatch(infer_shapes(graph));
}

TEST(Rebatch, MakesReshapesCopyTheBatch) {
  const auto result = rebatched({1, 2, 3, 4}, [](Graph& g, ValueId x) {
    const ValueId r = g.add_node("r", Reshape{}, {x, integers(g, "s", {1, 2, -1})});
    return g.add_node("y", Transpose{{0, 2, 1}}, {r});
  });
  ASSERT_TRUE(result.graph) << result.reason;
  EXPECT_EQ(print(*result.graph),
            "g(x: f32 [N, 2, 3, 4]) -> y\n"
            "  r: f32 [N, 2, 12] = Reshape(x, i64 {0, 2, -1})\n"
            "  y: f32 [N, 12, 2] = Transpose(r) perm=0,2,1\n");
}

TEST(Rebatch, SaysWhichNodeForbidsIt) {
  const auto reason = [](const Shape& shape, auto&& build) {
    const auto result = rebatched(shape, build);
    EXPECT_FALSE(result.graph);
    return result.reason;
  };
  EXPECT_EQ(reason({1, 4}, [](Graph& g, ValueId x) { return g.add_node("y", Softmax{0}, {x}); }),
            "node \"y\" (Softmax) works along the batch");
  EXPECT_EQ(reason({1, 4}, [](Graph& g, ValueId x) { return g.add_node("y", Reduce{}, {x}); }),
            "node \"y\" (ReduceMean) works along the batch");
  EXPECT_EQ(reason({1, 4},
                   [](Graph& g, ValueId x) {
                     return g.add_node("y", Transpose{{1, 0}}, {x});
                   }),
            "node \"y\" (Transpose) moves the batch away from the first axis: [4, N]");
  EXPECT_EQ(reason({1, 4},
                   [](Graph& g, ValueId x) {
                     return g.add_node("y", Reshape{}, {x, integers(g, "s", {4})});
                   }),
            "node \"y\" (Reshape): cannot reshape [N, 4] to [4]");
  EXPECT_EQ(reason({2, 4}, [](Graph& g, ValueId x) { return g.add_node("y", Unary{}, {x}); }),
            "input \"x\" has shape [2, 4], expected a first extent of 1");
  EXPECT_EQ(reason({1, 4},
                   [](Graph& g, ValueId x) {
                     const ValueId t = g.add_node("t", Reshape{}, {x, integers(g, "s", {2, 2})});
                     return g.add_node("y", Unary{}, {t});
                   }),
            "node \"t\" (Reshape): cannot reshape [N, 4] to [2, 2]");
  EXPECT_EQ(reason({1, 4},
                   [](Graph& g, ValueId x) {
                     const ValueId a = g.add_node("a", Concat{0}, {x, x});
                     return g.add_node("y", Unary{}, {a});
                   }),
            "node \"a\" (Concat) works along the batch");
}

TEST(Rebatch, LeavesASymbolicBatch) {
  const auto result =
      rebatched({"B", 4}, [](Graph& g, ValueId x) { return g.add_node("y", Unary{}, {x}); });
  ASSERT_TRUE(result.graph);
  EXPECT_EQ((*result.graph->value(result.graph->inputs()[0]).type.shape)[0], Dim("B"));
}

}  // namespace
}  // namespace xgen::ir
