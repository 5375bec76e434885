#include "core/ir/rewrite/fold_pad.h"

#include <gtest/gtest.h>

#include "core/ir/infer_shapes.h"
#include "core/ir/print.h"

namespace xgen::ir {
namespace {

/// x -> Pad with `pads` and `value` -> op.
std::string folded(Op op, const std::vector<std::int64_t>& pads, float value = 0) {
  Graph graph;
  graph.name = "g";
  const ValueId x = graph.add_input("x", {DType::f32, Shape{"N", 1, 4, 4}, {}});
  const ValueId p = graph.add_constant("p", Constant::of<std::int64_t>({8}, pads));
  const ValueId v = graph.add_constant("v", Constant::scalar(value));
  const ValueId padded = graph.add_node("pad", Pad{}, {x, p, v});
  std::vector<ValueId> inputs{padded};
  if (std::holds_alternative<Conv>(op))
    inputs.push_back(graph.add_constant("w", Constant::of<float>({1, 1, 2, 2}, {1, 2, 3, 4})));
  graph.set_outputs({graph.add_node("y", std::move(op), inputs)});
  return print(fold_pad(infer_shapes(graph)));
}

TEST(FoldPad, AddsToThePaddingOfAConvolution) {
  Conv conv;
  conv.pads = {1, 0, 0, 0};
  EXPECT_EQ(folded(conv, {0, 0, 1, 2, 0, 0, 3, 0}),
            "g(x: f32 [N, 1, 4, 4]) -> y\n"
            "  y: f32 [N, 1, 8, 5] = Conv(x, w: f32 [1, 1, 2, 2]) pads=2,2,3,0  # pad+y\n");
}

TEST(FoldPad, CountsThePaddingOfAnAverage) {
  AveragePool pool;
  pool.kernel = {2, 2};
  EXPECT_EQ(folded(pool, {0, 0, 1, 1, 0, 0, 1, 1}),
            "g(x: f32 [N, 1, 4, 4]) -> y\n"
            "  y: f32 [N, 1, 5, 5] = AveragePool(x) kernel=2,2 pads=1,1,1,1 count_include_pad  # "
            "pad+y\n");
  pool.pads = {1, 1, 1, 1};
  EXPECT_NE(folded(pool, {0, 0, 1, 1, 0, 0, 1, 1}).find("Pad("), std::string::npos);
}

TEST(FoldPad, LeavesOtherPads) {
  EXPECT_NE(folded(Conv{}, {0, 0, 1, 1, 0, 0, 1, 1}, 5).find("Pad("), std::string::npos);
  EXPECT_NE(folded(Conv{}, {0, 0, -1, 0, 0, 0, 0, 0}).find("Pad("), std::string::npos);
  EXPECT_NE(folded(Conv{}, {1, 0, 0, 0, 0, 0, 0, 0}).find("Pad("), std::string::npos);
}

}  // namespace
}  // namespace xgen::ir
