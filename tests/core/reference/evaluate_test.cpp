#include "core/reference/evaluate.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/ir/infer_shapes.h"

namespace xgen::reference {
namespace {

using ir::Constant;
using ir::DType;
using ir::Graph;
using ir::Shape;
using ir::ValueId;

std::vector<float> counting(std::size_t count) {
  std::vector<float> values(count);
  for (std::size_t i = 0; i < count; ++i) values[i] = static_cast<float>(i);
  return values;
}

/// One operator on constants as operands.
template <class T = float>
std::vector<T> run(ir::Op op, const std::vector<Constant>& operands) {
  Graph graph;
  std::vector<ValueId> inputs;
  for (const Constant& c : operands) inputs.push_back(graph.add_constant("c", c));
  graph.set_outputs({graph.add_node("y", std::move(op), inputs)});
  const Tensor y = evaluate(ir::infer_shapes(graph), {}).at(0);
  return {y.as<T>().begin(), y.as<T>().end()};
}

Constant f32(ir::Extents shape, const std::vector<float>& values) {
  return Constant::of<float>(std::move(shape), values);
}
Constant i64(const std::vector<std::int64_t>& values) {
  return Constant::of<std::int64_t>({static_cast<std::int64_t>(values.size())}, values);
}

TEST(Evaluate, ConvolvesWithPaddingStrideAndBias) {
  ir::Conv conv;
  conv.pads = {1, 1, 1, 1};
  conv.strides = {2, 2};
  // A 3x3 image 0..8, all-ones kernel: sums of the corners' neighbourhoods.
  EXPECT_EQ(run(conv, {f32({1, 1, 3, 3}, counting(9)), f32({1, 1, 3, 3}, std::vector<float>(9, 1)),
                       f32({1}, {100})}),
            (std::vector<float>{108, 112, 120, 124}));
}

TEST(Evaluate, ConvolvesInGroupsAndWithDilation) {
  ir::Conv conv;
  conv.groups = 2;
  EXPECT_EQ(run(conv, {f32({1, 2, 1, 2}, {1, 2, 3, 4}), f32({2, 1, 1, 1}, {10, 100})}),
            (std::vector<float>{10, 20, 300, 400}));
  ir::Conv dilated;
  dilated.dilations = {1, 2};
  EXPECT_EQ(run(dilated, {f32({1, 1, 1, 4}, {1, 2, 3, 4}), f32({1, 1, 1, 2}, {1, 10})}),
            (std::vector<float>{31, 42}));
}

TEST(Evaluate, AppliesAFusedEpilogue) {
  Graph graph;
  const ValueId x = graph.add_constant("x", f32({1, 1, 1, 3}, {-2, 1, 3}));
  const ValueId w = graph.add_constant("w", f32({1, 1, 1, 1}, {1}));
  const ValueId r = graph.add_constant("r", f32({1, 1, 1, 3}, {-1, -5, 10}));
  ir::Conv conv;
  conv.epilogue.before_add = {ir::Activation::Kind::clip, 0, 2};
  conv.epilogue.residual = true;
  conv.epilogue.activation = {ir::Activation::Kind::leaky_relu, 0, 0, 0.5F};
  graph.set_outputs({graph.add_node("y", conv, {x, w, ir::kNoValue, r})});
  const Tensor y = evaluate(graph, {}).at(0);
  EXPECT_EQ(std::vector<float>(y.as<float>().begin(), y.as<float>().end()),
            (std::vector<float>{-0.5F, -2, 12}));
}

TEST(Evaluate, AveragesWithAndWithoutPadding) {
  ir::AveragePool pool;
  pool.kernel = {2, 2};
  pool.pads = {1, 1, 0, 0};
  pool.strides = {2, 2};
  const Constant x = f32({1, 1, 3, 3}, counting(9));
  EXPECT_EQ(run(pool, {x}), (std::vector<float>{0, 1.5F, 4.5F, 6}));
  pool.count_include_pad = true;
  EXPECT_EQ(run(pool, {x}), (std::vector<float>{0, 0.75F, 2.25F, 6}));
}

TEST(Evaluate, MaximumIgnoresPaddingOfNegativeImages) {
  ir::MaxPool pool;
  pool.kernel = {3, 3};
  pool.pads = {1, 1, 1, 1};
  EXPECT_EQ(run(pool, {f32({1, 1, 1, 2}, {-5, -3})}), (std::vector<float>{-3, -3}));
}

TEST(Evaluate, ResizesNearestAndLinear) {
  ir::Resize nearest;
  nearest.coordinates = ir::Resize::Coordinates::asymmetric;
  nearest.nearest = ir::Resize::Nearest::floor;
  Graph graph;
  const ValueId x = graph.add_constant("x", f32({1, 1, 1, 2}, {1, 3}));
  const ValueId scales = graph.add_constant("s", f32({4}, {1, 1, 1, 2}));
  ir::Resize linear;
  linear.mode = ir::Resize::Mode::linear;
  graph.set_outputs({graph.add_node("n", nearest, {x, ir::kNoValue, scales}),
                     graph.add_node("l", linear, {x, ir::kNoValue, scales})});
  const auto y = evaluate(graph, {});
  EXPECT_EQ(std::vector<float>(y[0].as<float>().begin(), y[0].as<float>().end()),
            (std::vector<float>{1, 1, 3, 3}));
  EXPECT_EQ(std::vector<float>(y[1].as<float>().begin(), y[1].as<float>().end()),
            (std::vector<float>{1, 1.5F, 2.5F, 3}));
}

TEST(Evaluate, MultipliesMatrices) {
  ir::Gemm gemm;
  gemm.trans_b = true;
  gemm.alpha = 2;
  EXPECT_EQ(run(gemm, {f32({1, 2}, {1, 2}), f32({2, 2}, {1, 0, 3, 4}), f32({2}, {10, 20})}),
            (std::vector<float>{12, 42}));
  EXPECT_EQ(run(ir::MatMul{}, {f32({2, 1, 2}, {1, 2, 3, 4}), f32({2, 1}, {1, 10})}),
            (std::vector<float>{21, 43}));
  EXPECT_EQ(run(ir::MatMul{}, {f32({2}, {1, 2}), f32({2}, {3, 4})}), (std::vector<float>{11}));
}

TEST(Evaluate, MovesElements) {
  const Constant x = f32({2, 3}, counting(6));
  EXPECT_EQ(run(ir::Transpose{{1, 0}}, {x}), (std::vector<float>{0, 3, 1, 4, 2, 5}));
  EXPECT_EQ(run(ir::Slice{}, {x, i64({2}), i64({INT64_MIN}), i64({1}), i64({-2})}),
            (std::vector<float>{2, 0, 5, 3}));
  EXPECT_EQ(run(ir::Pad{}, {f32({2}, {1, 2}), i64({1, 2}), Constant::scalar(9.0F)}),
            (std::vector<float>{9, 1, 2, 9, 9}));
  EXPECT_EQ(run(ir::Concat{1}, {x, f32({2, 1}, {7, 8})}),
            (std::vector<float>{0, 1, 2, 7, 3, 4, 5, 8}));
  EXPECT_EQ(run(ir::Gather{1}, {x, i64({-1, 0})}), (std::vector<float>{2, 0, 5, 3}));
}

TEST(Evaluate, ReducesNormalizesAndBroadcasts) {
  const Constant x = f32({2, 2}, {1, 3, 5, 9});
  EXPECT_EQ(run(ir::Reduce{}, {x, i64({1})}), (std::vector<float>{2, 7}));
  EXPECT_EQ(run(ir::Reduce{ir::Reduce::Kind::max, false}, {x, i64({0})}),
            (std::vector<float>{5, 9}));
  EXPECT_EQ(run(ir::Binary{ir::Binary::Kind::div}, {x, f32({2, 1}, {1, 2})}),
            (std::vector<float>{1, 3, 2.5F, 4.5F}));
  ir::BatchNorm bn;
  bn.epsilon = 0;
  EXPECT_EQ(run(bn, {x, f32({2}, {2, 1}), f32({2}, {1, 0}), f32({2}, {1, 3}), f32({2}, {4, 1})}),
            (std::vector<float>{1, 0, 5, 6}));
  const auto p = run(ir::Softmax{0}, {f32({2, 1}, {0, std::log(3.0F)})});
  EXPECT_FLOAT_EQ(p[0], 0.25F);
  EXPECT_FLOAT_EQ(p[1], 0.75F);
}

TEST(Evaluate, DividesIntegersTowardsZero) {
  EXPECT_EQ(run<std::int64_t>(ir::Binary{ir::Binary::Kind::div}, {i64({-7, 7}), i64({2})}),
            (std::vector<std::int64_t>{-3, 3}));
}

TEST(Evaluate, QuantizesPerChannel) {
  ir::QuantizeLinear op;
  op.axis = 0;
  EXPECT_EQ(run<std::int8_t>(op, {f32({2, 2}, {1, -1, 1, 1000}), f32({2}, {0.5F, 0.25F}),
                                  Constant::of<std::int8_t>({2}, {0, 0})}),
            (std::vector<std::int8_t>{2, -2, 4, 127}));
}

TEST(Evaluate, ChecksItsInputs) {
  Graph graph;
  const ValueId x = graph.add_input("x", {DType::f32, Shape{"N", 2}, {}});
  graph.set_outputs({graph.add_node("y", ir::Unary{}, {x})});
  const auto message = [&](std::vector<Tensor> inputs) -> std::string {
    try {
      evaluate(graph, std::move(inputs));
    } catch (const UserError& e) {
      return e.what();
    }
    return "no error";
  };
  EXPECT_EQ(message({f32({1, 3}, {1, 2, 3})}), "input \"x\": expected f32 [N, 2], got f32 [1, 3]");
  EXPECT_EQ(message({}), "the model has 1 inputs, got 0");
  EXPECT_EQ(message({f32({3, 2}, counting(6))}), "no error");
}

TEST(Evaluate, ReturnsIntermediateValues) {
  Graph graph;
  const ValueId x = graph.add_input("x", {DType::f32, Shape{"N"}, {}});
  const ValueId a = graph.add_node("a", ir::Unary{ir::Unary::Kind::neg}, {x});
  graph.set_outputs({graph.add_node("b", ir::Unary{ir::Unary::Kind::abs}, {a})});
  const auto values = evaluate_values(graph, {f32({2}, {1, -2})}, {a, x});
  EXPECT_EQ(values[0].as<float>()[0], -1);
  EXPECT_EQ(values[1].as<float>()[1], -2);
}

}  // namespace
}  // namespace xgen::reference
