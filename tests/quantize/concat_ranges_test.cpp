#include "quantize/concat_ranges.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "quantize/qdq.h"

namespace xgen::quantize {
namespace {

using Ranges = std::map<std::string, ActivationRange>;

ir::ValueId conv(ir::Graph& graph, const std::string& name, ir::ValueId x, std::int64_t c_in) {
  const ir::Extents shape{4, c_in, 1, 1};
  const std::vector<float> values(static_cast<std::size_t>(4 * c_in), 0.5F);
  const ir::ValueId weight =
      graph.add_constant(name + "_w", ir::Constant::of<float>(shape, values, ir::Role::parameter));
  return graph.add_node(name, ir::Conv{}, {x, weight});
}

/// a and the max pool of b are concatenated, with `last` behind; b is read by `other`, too.
ir::Graph branches(bool integer_result) {
  ir::Graph graph;
  const auto x = graph.add_input("x", {ir::DType::f32, ir::Shape{1, 4, 6, 6}, {}});
  const auto a = conv(graph, "a", x, 4);
  const auto b = conv(graph, "b", x, 4);
  ir::MaxPool pool;
  pool.kernel = {3, 3};
  pool.pads = {1, 1, 1, 1};
  ir::Concat concat;
  concat.axis = 1;
  auto joined = graph.add_node("joined", concat, {a, graph.add_node("pool", pool, {b})});
  if (integer_result) joined = conv(graph, "last", joined, 8);
  graph.set_outputs({joined, conv(graph, "other", b, 4)});
  return graph;
}

TEST(ConcatRanges, OperandsAndResultCoverEachOther) {
  const Ranges observed = {{"x", {-9, 9}}, {"a", {-1, 2}}, {"b", {0, 3}}, {"joined", {-1, 3}}};
  const ir::Graph graph = branches(true);
  ASSERT_THAT(values_to_observe(graph), testing::UnorderedElementsAre("x", "a", "b", "joined"));
  EXPECT_EQ(share_concat_ranges(graph, observed),
            (Ranges{{"x", {-9, 9}}, {"a", {-1, 3}}, {"b", {-1, 3}}, {"joined", {-1, 3}}}));
}

TEST(ConcatRanges, AConcatOfFloatsLeavesThemAlone) {
  const ir::Graph graph = branches(false);
  const Ranges observed = {{"x", {-9, 9}}, {"b", {0, 3}}};
  ASSERT_THAT(values_to_observe(graph), testing::UnorderedElementsAre("x", "b"));
  EXPECT_EQ(share_concat_ranges(graph, observed), observed);
}

}  // namespace
}  // namespace xgen::quantize
