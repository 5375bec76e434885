#include "core/ir/print.h"

#include <gtest/gtest.h>

#include "core/ir/infer_shapes.h"

namespace xgen::ir {
namespace {

TEST(Print, WritesOneLineANode) {
  Graph graph;
  graph.name = "net";
  const ValueId x = graph.add_input("x", {DType::f32, Shape{"N", 3, 8, 8}, {}});
  const ValueId w =
      graph.add_constant("w", Constant::of<float>({4, 3, 1, 1}, std::vector<float>(12)));
  Conv conv;
  conv.pads = {1, 1, 1, 1};
  const ValueId y = graph.add_node("conv", conv, {x, w}, "features");
  const ValueId shape = graph.add_constant("s", Constant::of<std::int64_t>({2}, {0, -1}));
  const ValueId z = graph.add_node("flat", Reshape{}, {y, shape});
  graph.set_outputs({z});
  EXPECT_EQ(print(infer_shapes(graph)),
            "net(x: f32 [N, 3, 8, 8]) -> flat\n"
            "  features: f32 [N, 4, 10, 10] = Conv(x, w: f32 [4, 3, 1, 1]) pads=1,1,1,1  # conv\n"
            "  flat: f32 [N, 400] = Reshape(features, i64 {0, -1})\n");
}

TEST(Print, ShowsQuantizationAndFusedWork) {
  EXPECT_EQ(print(TensorType{DType::u8, Shape{1, 2}, QuantParams{{0.5F}, {128}, -1}}),
            "u8 [1, 2] q(0.5, 128)");
  Graph graph;
  const ValueId x = graph.add_input("x", {DType::f32, Shape{1, 1, 1, 1}, {}});
  Conv conv;
  conv.epilogue.residual = true;
  conv.epilogue.activation = {Activation::Kind::clip, 0, 6};
  graph.add_node("c", conv, {x, x, kNoValue, x});
  EXPECT_EQ(print(graph, graph.nodes()[0]),
            "c: f32 ? = Conv(x, x, _, x) residual activation=clip(0,6)");
}

}  // namespace
}  // namespace xgen::ir
