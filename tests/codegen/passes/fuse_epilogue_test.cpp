#include "codegen/passes/fuse_epilogue.h"

#include <gtest/gtest.h>

#include "core/ir/infer_shapes.h"
#include "core/ir/print.h"
#include "tests/support/random_graph.h"

namespace xgen::passes {
namespace {

using ir::Activation;
using ir::DType;
using ir::ValueId;

ir::QuantParams q(float scale, int zero) { return {{scale}, {zero}, -1}; }

// Builds small graphs whose convolutions have 4 channels of 5x5.
class Net {
 public:
  explicit Net(bool integer = false) : integer_(integer) { graph.name = "g"; }

  ValueId input(const std::string& name, std::int64_t extent = 5) {
    const ValueId x = graph.add_input(
        name, {integer_ ? DType::u8 : DType::f32, ir::Shape{1, 4, extent, extent}, {}});
    if (integer_) graph.value(x).type.quant = q(0.02F, 7);
    return x;
  }
  ValueId conv(const std::string& name, ValueId x, ir::QuantParams quant = {}) {
    const ir::Extents shape{4, 4, 1, 1};
    const ValueId w =
        graph.add_constant(name + ".w", integer_ ? random_.integers<std::int8_t>(shape, -127, 127)
                                                 : random_.f32(shape));
    const ValueId y = graph.add_node(name, ir::Conv{}, {x, w});
    if (integer_) {
      graph.value(w).type.quant = q(0.01F, 0);
      graph.value(y).type = {DType::u8, {}, std::move(quant)};
    }
    return y;
  }
  ValueId unary(const std::string& name, ir::Unary::Kind kind, ValueId x) {
    ir::Unary op;
    op.kind = kind;
    const ValueId y = graph.add_node(name, op, {x});
    if (integer_) graph.value(y).type = graph.value(x).type;
    return y;
  }
  ValueId add(const std::string& name, ValueId a, ValueId b, ir::QuantParams quant = {}) {
    const ValueId y = graph.add_node(name, ir::Binary{}, {a, b});
    if (integer_) graph.value(y).type = {DType::u8, {}, std::move(quant)};
    return y;
  }
  ir::Graph fused(std::vector<ValueId> outputs) {
    graph.set_outputs(std::move(outputs));
    return fuse_epilogue(ir::infer_shapes(graph));
  }

  ir::Graph graph;

 private:
  bool integer_;
  test::RandomTensors random_{1};
};

const ir::Epilogue& epilogue_of(const ir::Graph& graph, std::size_t node) {
  return graph.nodes().at(node).as<ir::Conv>()->epilogue;
}

TEST(FuseEpilogue, TakesAnActivation) {
  Net net;
  const ValueId y = net.unary("relu", ir::Unary::Kind::relu, net.conv("conv", net.input("x")));
  const ir::Graph got = net.fused({y});

  ir::Graph want;
  want.name = "g";
  ir::Conv conv;
  conv.epilogue.activation.kind = Activation::Kind::clip;
  conv.epilogue.activation.low = 0;
  const ValueId x = want.add_input("x", {DType::f32, ir::Shape{1, 4, 5, 5}, {}});
  const ValueId w = want.add_constant("conv.w", test::RandomTensors(1).f32({4, 4, 1, 1}));
  want.set_outputs({want.add_node("conv+relu", conv, {x, w}, "relu")});
  EXPECT_EQ(ir::print(got), ir::print(ir::infer_shapes(want)));
}

TEST(FuseEpilogue, TakesAResidualBetweenTwoActivations) {
  Net net;
  const ValueId x = net.input("x");
  const ValueId inner = net.unary("inner", ir::Unary::Kind::relu, net.conv("conv", x));
  const ValueId y = net.unary("outer", ir::Unary::Kind::silu, net.add("sum", x, inner));
  const ir::Graph got = net.fused({y});

  ASSERT_EQ(got.nodes().size(), 1U);
  const ir::Node& node = got.nodes()[0];
  EXPECT_EQ(node.name, "conv+inner+sum+outer");
  const ir::Epilogue& e = epilogue_of(got, 0);
  EXPECT_EQ(e.before_add.kind, Activation::Kind::clip);
  EXPECT_EQ(e.before_add.low, 0);
  EXPECT_TRUE(e.residual);
  EXPECT_FALSE(e.before_residual.has_value());
  EXPECT_EQ(e.activation.kind, Activation::Kind::silu);
  // x, weight, no bias, residual
  ASSERT_EQ(node.inputs.size(), 4U);
  EXPECT_EQ(node.inputs[2], ir::kNoValue);
  EXPECT_EQ(node.inputs[3], got.inputs()[0]);
}

TEST(FuseEpilogue, LeavesAConvolutionWithAnotherReader) {
  Net net;
  const ValueId c = net.conv("conv", net.input("x"));
  const ValueId y = net.unary("relu", ir::Unary::Kind::relu, c);
  const ValueId z = net.unary("tanh", ir::Unary::Kind::tanh, c);
  const std::string before = ir::print(ir::infer_shapes([&] {
    net.graph.set_outputs({y, z});
    return net.graph;
  }()));
  EXPECT_EQ(ir::print(net.fused({y, z})), before);
}

TEST(FuseEpilogue, LeavesAConvolutionThatIsAnOutput) {
  Net net;
  const ValueId c = net.conv("conv", net.input("x"));
  const ir::Graph got = net.fused({c, net.unary("relu", ir::Unary::Kind::relu, c)});
  EXPECT_EQ(got.nodes().size(), 2U);
}

TEST(FuseEpilogue, TakesTheLaterOfTwoConvolutionsThatAreAdded) {
  Net net;
  const ValueId x = net.input("x");
  const ValueId first = net.conv("first", x), second = net.conv("second", x);
  const ir::Graph got = net.fused({net.add("sum", second, first)});
  ASSERT_EQ(got.nodes().size(), 2U);
  EXPECT_EQ(got.nodes()[0].name, "first");
  EXPECT_EQ(got.nodes()[1].name, "second+sum");
  EXPECT_EQ(got.nodes()[1].inputs[3], got.nodes()[0].output());
}

TEST(FuseEpilogue, LeavesAConvolutionWhoseWeightIsComputed) {
  Net net;
  const ValueId w = net.graph.add_input("w", {DType::f32, ir::Shape{4, 4, 1, 1}, {}});
  const ValueId c = net.graph.add_node("conv", ir::Conv{}, {net.input("x"), w});
  EXPECT_EQ(net.fused({net.unary("relu", ir::Unary::Kind::relu, c)}).nodes().size(), 2U);
}

TEST(FuseEpilogue, LeavesAnAdditionThatBroadcasts) {
  Net net;
  const ValueId c = net.conv("conv", net.input("x"));
  const ValueId r = net.graph.add_input("r", {DType::f32, ir::Shape{1, 4, 1, 1}, {}});
  EXPECT_EQ(net.fused({net.add("sum", c, r)}).nodes().size(), 2U);
}

TEST(FuseEpilogue, LeavesAResidualAtOnePositionToAnAddition) {
  Net net;
  const ValueId x = net.input("x", 1);
  const ir::Graph got = net.fused({net.add("sum", x, net.conv("conv", x))});
  ASSERT_EQ(got.nodes().size(), 2U);
  EXPECT_FALSE(epilogue_of(got, 0).residual);
}

TEST(FuseEpilogue, KeepsTheRoundingBeforeAnIntegerResidual) {
  Net net(true);
  const ValueId x = net.input("x");
  const ValueId c = net.conv("conv", x, q(0.05F, 121));
  const ir::Graph got = net.fused({net.add("sum", c, x, q(0.06F, 99))});
  ASSERT_EQ(got.nodes().size(), 1U);
  const ir::Epilogue& e = epilogue_of(got, 0);
  EXPECT_TRUE(e.residual);
  ASSERT_TRUE(e.before_residual.has_value());
  EXPECT_EQ(*e.before_residual, q(0.05F, 121));
  EXPECT_EQ(got.value(got.nodes()[0].output()).type.quant, q(0.06F, 99));
}

TEST(FuseEpilogue, NarrowsAnIntegerConvolutionByAClipOfItsScaleOnly) {
  Net net(true);
  const ValueId x = net.input("x");
  const ValueId same = net.unary("same", ir::Unary::Kind::relu, net.conv("a", x, q(0.05F, 121)));
  const ValueId other = net.unary("other", ir::Unary::Kind::relu, net.conv("b", x, q(0.05F, 121)));
  net.graph.value(other).type.quant = q(0.04F, 0);
  const ir::Graph got = net.fused({same, other});
  std::vector<std::string> names;
  for (const ir::Node& n : got.nodes()) names.push_back(n.name);
  EXPECT_EQ(names, (std::vector<std::string>{"a+same", "b", "other"}));
}

TEST(FuseEpilogue, StopsAfterAsManyPatchesAsAsked) {
  Net net;
  const ValueId x = net.input("x");
  const ValueId a = net.unary("ra", ir::Unary::Kind::relu, net.conv("a", x));
  const ValueId b = net.unary("rb", ir::Unary::Kind::relu, net.conv("b", a));
  net.graph.set_outputs({b});
  EXPECT_EQ(fuse_epilogue(ir::infer_shapes(net.graph), 1).nodes().size(), 3U);
}

}  // namespace
}  // namespace xgen::passes
