#include <gtest/gtest.h>

#include "core/ir/infer_shapes.h"
#include "core/reference/evaluate.h"
#include "core/reference/integer.h"

/// Expected numbers are worked out by hand from DESIGN section 6.
namespace xgen::reference {
namespace {

using ir::Constant;
using ir::DType;
using ir::Graph;
using ir::QuantParams;
using ir::ValueId;

QuantParams q(float scale, std::int32_t zero_point) { return {{scale}, {zero_point}, -1}; }

/// Constants of a quantized graph and one node on them.
class Quantized {
 public:
  ValueId u8(ir::Extents shape, const std::vector<std::uint8_t>& values,
             const QuantParams& params) {
    const ValueId id =
        graph_.add_constant("x", Constant::of<std::uint8_t>(std::move(shape), values));
    graph_.value(id).type.quant = params;
    return id;
  }
  ValueId s8(ir::Extents shape, const std::vector<std::int8_t>& values, std::vector<float> scales) {
    const ValueId id =
        graph_.add_constant("w", Constant::of<std::int8_t>(std::move(shape), values));
    const std::vector<std::int32_t> zeros(scales.size(), 0);
    graph_.value(id).type.quant = QuantParams{scales, zeros, scales.size() == 1 ? -1 : 0};
    return id;
  }
  ValueId i32(const std::vector<std::int32_t>& values) {
    return graph_.add_constant(
        "b", Constant::of<std::int32_t>({static_cast<std::int64_t>(values.size())}, values));
  }
  std::vector<int> run(ir::Op op, std::vector<ValueId> inputs, const QuantParams& params) {
    const ValueId y = graph_.add_node("y", std::move(op), std::move(inputs));
    graph_.value(y).type = {DType::u8, std::nullopt, params};
    graph_.set_outputs({y});
    const Tensor result = evaluate(ir::infer_shapes(graph_), {}).at(0);
    const auto values = result.as<std::uint8_t>();
    return {values.begin(), values.end()};
  }
  Graph& graph() { return graph_; }

 private:
  Graph graph_;
};

TEST(IntegerNodes, ConvolutionScalesEachChannelAndPadsWithTheZeroPoint) {
  Quantized g;
  const ValueId x = g.u8({1, 1, 1, 2}, {12, 20}, q(0.5F, 10));  // reals 1, 5
  const ValueId w = g.s8({2, 1, 1, 3}, {1, 2, 3, -1, -2, -3}, {0.5F, 0.25F});
  ir::Conv conv;
  conv.pads = {0, 1, 0, 1};
  // Channel 0: 2*2+10*3+8 = 42, 2*1+10*2+8 = 30; times 0.5*0.5/1 = 10.5 -> 10 (even), 7.5 -> 8.
  // Channel 1: -34 and -22 with bias 0, times 0.125: -4.25 -> -4, -2.75 -> -3.
  EXPECT_EQ(g.run(conv, {x, w, g.i32({8, 0})}, q(1.0F, 5)), (std::vector<int>{15, 13, 1, 2}));
}

TEST(IntegerNodes, ConvolutionWithAResidualRoundsFirst) {
  Quantized g;
  const ValueId x = g.u8({1, 1, 1, 3}, {3, 0, 200}, q(1, 0));
  const ValueId w = g.s8({1, 1, 1, 1}, {1}, {1});
  const ValueId r = g.u8({1, 1, 1, 3}, {4, 9, 255}, q(0.5F, 5));
  ir::Conv conv;
  conv.epilogue.residual = true;
  conv.epilogue.before_residual = q(2, 128);
  conv.epilogue.activation = {ir::Activation::Kind::clip, 0, 100};
  // conv / 2 rounded to u8: 1.5 -> 2, 0, 100 steps of 2; result in steps of 1:
  //   2*2*64 = 256 + (-1*0.5*64 = -32) = 224 -> (224+32)>>6 = 4
  //   0 + 4*32 = 128 -> 2; the last, 200 + 125, is clipped to 100.
  EXPECT_EQ(g.run(conv, {x, w, ir::kNoValue, r}, q(1, 7)), (std::vector<int>{11, 9, 107}));
}

TEST(IntegerNodes, ConvolutionWithoutQuantizedResultIsReal) {
  Quantized g;
  const ValueId x = g.u8({1, 1, 1, 1}, {3}, q(0.1F, 0));
  const ValueId w = g.s8({1, 1, 1, 1}, {7}, {0.3F});
  const ValueId y = g.graph().add_node("y", ir::Conv{}, {x, w});
  g.graph().set_outputs({y});
  const Graph graph = ir::infer_shapes(g.graph());
  EXPECT_EQ(graph.value(y).type.dtype, DType::f32);
  EXPECT_EQ(evaluate(graph, {}).at(0).as<float>()[0], 21.0F * dequantize_scale(0.1F, 0.3F));
}

TEST(IntegerNodes, GemmReadsBothLayoutsOfItsWeight) {
  const std::vector<int> expected{2 * 1 + 3 * 2, 2 * 10 + 3 * 20};
  Quantized a;
  ir::Gemm gemm;
  gemm.trans_b = true;
  EXPECT_EQ(
      a.run(gemm, {a.u8({1, 2}, {2, 3}, q(1, 0)), a.s8({2, 2}, {1, 2, 10, 20}, {1})}, q(1, 0)),
      expected);
  Quantized b;
  EXPECT_EQ(b.run(ir::Gemm{}, {b.u8({1, 2}, {2, 3}, q(1, 0)), b.s8({2, 2}, {1, 10, 2, 20}, {1})},
                  q(1, 0)),
            expected);
}

TEST(IntegerNodes, AdditionBroadcastsAndConcatRescales) {
  Quantized g;
  const ValueId a = g.u8({1, 2, 1, 2}, {10, 20, 30, 40}, q(1, 0));
  const ValueId b = g.u8({1, 2, 1, 1}, {1, 2}, q(2, 0));
  EXPECT_EQ(g.run(ir::Binary{}, {a, b}, q(1, 0)), (std::vector<int>{12, 22, 34, 44}));
  Quantized c;
  const ValueId x = c.u8({1, 1}, {10}, q(1, 0));
  const ValueId y = c.u8({1, 1}, {13}, q(0.5F, 10));
  EXPECT_EQ(c.run(ir::Concat{1}, {x, y}, q(1, 100)), (std::vector<int>{110, 102}));
}

TEST(IntegerNodes, AveragesSumExactly) {
  Quantized g;
  const ValueId x = g.u8({1, 1, 2, 2}, {10, 11, 12, 13}, q(1, 10));
  EXPECT_EQ(g.run(ir::GlobalAveragePool{}, {x}, q(0.5F, 0)), (std::vector<int>{3}));
  Quantized h;
  ir::AveragePool pool;
  pool.kernel = {1, 2};
  pool.pads = {0, 1, 0, 0};
  const ValueId z = h.u8({1, 1, 1, 2}, {14, 18}, q(1, 10));
  EXPECT_EQ(h.run(pool, {z}, q(1, 10)), (std::vector<int>{14, 16}));
}

TEST(IntegerNodes, BytesMoveAndPadIsTheZeroPoint) {
  Quantized g;
  const ValueId x = g.u8({1, 1, 1, 2}, {1, 200}, q(1, 9));
  const ValueId pads =
      g.graph().add_constant("p", Constant::of<std::int64_t>({8}, {0, 0, 0, 1, 0, 0, 0, 0}));
  EXPECT_EQ(g.run(ir::Pad{}, {x, pads}, q(1, 9)), (std::vector<int>{9, 1, 200}));
}

}  // namespace
}  // namespace xgen::reference
