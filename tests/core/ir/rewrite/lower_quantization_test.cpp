#include "core/ir/rewrite/lower_quantization.h"

#include <gtest/gtest.h>

#include "core/ir/infer_shapes.h"
#include "core/ir/print.h"
#include "core/ir/verify.h"
#include "core/reference/evaluate.h"

namespace xgen::ir {
namespace {

/// Builds float operators between QuantizeLinear and DequantizeLinear.
class Qdq {
 public:
  Qdq() {
    graph_.name = "g";
    x_ = graph_.add_input("x", {DType::f32, Shape{"N", 2, 2, 2}, {}});
  }
  Graph& graph() { return graph_; }
  ValueId x() const { return x_; }

  ValueId quantize(const std::string& name, ValueId id, float scale, std::uint8_t zero) {
    return graph_.add_node(name + "_q", QuantizeLinear{},
                           {id, scalar(name + "_s", scale), scalar(name + "_z", zero)});
  }
  ValueId dequantize(const std::string& name, ValueId id, float scale, std::uint8_t zero) {
    return graph_.add_node(name + "_dq", DequantizeLinear{},
                           {id, scalar(name + "_ds", scale), scalar(name + "_dz", zero)});
  }
  /// Q and DQ.
  ValueId fake(const std::string& name, ValueId id, float scale, std::uint8_t zero) {
    return dequantize(name, quantize(name, id, scale, zero), scale, zero);
  }
  ValueId weight(const std::string& name, const Extents& shape, std::int8_t value,
                 const std::vector<float>& scales) {
    const std::vector<std::int8_t> values(static_cast<std::size_t>(element_count(shape)), value);
    const ValueId q = graph_.add_constant(name, Constant::of<std::int8_t>(shape, values));
    const ValueId s = graph_.add_constant(
        name + "_s", Constant::of<float>({static_cast<std::int64_t>(scales.size())}, scales));
    return graph_.add_node(name + "_dq", DequantizeLinear{0}, {q, s});
  }
  ValueId bias(const std::string& name, const std::vector<std::int32_t>& values,
               const std::vector<float>& scales) {
    const Extents shape{static_cast<std::int64_t>(values.size())};
    const ValueId q = graph_.add_constant(name, Constant::of<std::int32_t>(shape, values));
    const ValueId s = graph_.add_constant(name + "_s", Constant::of<float>(shape, scales));
    return graph_.add_node(name + "_dq", DequantizeLinear{0}, {q, s});
  }
  template <class T>
  ValueId scalar(const std::string& name, T value) {
    return graph_.add_constant(name, Constant::scalar(value));
  }

  Graph lowered(ValueId output) {
    graph_.set_outputs({output});
    Graph result = lower_quantization(infer_shapes(graph_));
    verify(result, "lower_quantization");
    return result;
  }
  std::string text(ValueId output) {
    const std::string all = print(lowered(output));
    return all.substr(all.find('\n') + 1);
  }
  std::string message(ValueId output) {
    try {
      lowered(output);
    } catch (const UserError& e) {
      return e.what();
    }
    return "no error";
  }

 private:
  Graph graph_;
  ValueId x_;
};

constexpr const char* kInput =
    "  x_q: u8 [N, 2, 2, 2] q(0.5, 10) = QuantizeLinear(x, f32 0.5, u8 10)\n";

TEST(LowerQuantization, MakesAConvolutionWithReluAndBiasInteger) {
  Qdq g;
  const ValueId a = g.fake("x", g.x(), 0.5F, 10);
  const ValueId w = g.weight("w", {2, 2, 1, 1}, 3, {0.5F, 0.25F});
  const ValueId b = g.bias("b", {4, 8}, {0.25F, 0.125F});
  const ValueId c = g.graph().add_node("conv", Conv{}, {a, w, b});
  const ValueId r = g.graph().add_node("relu", Unary{}, {c});
  EXPECT_EQ(g.text(g.fake("y", r, 0.25F, 7)),
            std::string(kInput) +
                "  y_q: u8 [N, 2, 2, 2] q(0.25, 7) = Conv(x_q, w: i8 [2, 2, 1, 1] q(2 scales, axis "
                "0), i32 {4, 8}) activation=clip(0,inf)  # conv\n"
                "  y_dq: f32 [N, 2, 2, 2] = DequantizeLinear(y_q, f32 0.25, u8 7)\n");
}

TEST(LowerQuantization, LeavesAnUnquantizedResultReal) {
  Qdq g;
  const ValueId a = g.fake("x", g.x(), 0.5F, 10);
  const ValueId w = g.weight("w", {2, 2, 1, 1}, 3, {0.5F});
  EXPECT_EQ(
      g.text(g.graph().add_node("conv", Conv{}, {a, w})),
      std::string(kInput) + "  conv: f32 [N, 2, 2, 2] = Conv(x_q, w: i8 [2, 2, 1, 1] q(0.5, 0))\n");
}

TEST(LowerQuantization, KeepsSoftmaxBetweenExplicitNodes) {
  Qdq g;
  const ValueId a = g.fake("x", g.x(), 0.5F, 10);
  const ValueId s = g.graph().add_node("soft", Softmax{}, {a});
  EXPECT_EQ(g.text(g.quantize("y", s, 0.25F, 0)),
            std::string(kInput) +
                "  x_dq: f32 [N, 2, 2, 2] = DequantizeLinear(x_q, f32 0.5, u8 10)\n"
                "  soft: f32 [N, 2, 2, 2] = Softmax(x_dq) axis=-1\n"
                "  y_q: u8 [N, 2, 2, 2] q(0.25, 0) = QuantizeLinear(soft, f32 0.25, u8 0)\n");
}

TEST(LowerQuantization, LowersAdditionsAndDropsAReluThatCannotBind) {
  Qdq g;
  const ValueId a = g.fake("x", g.x(), 0.5F, 10);
  const ValueId sum = g.graph().add_node("add", Binary{}, {a, a});
  const ValueId r = g.graph().add_node("relu", Unary{}, {sum});
  EXPECT_EQ(g.text(g.quantize("y", r, 1.0F, 0)),
            std::string(kInput) + "  y_q: u8 [N, 2, 2, 2] q(1, 0) = Add(x_q, x_q)  # add\n");
  Qdq h;
  const ValueId b = h.fake("x", h.x(), 0.5F, 10);
  const ValueId sum2 = h.graph().add_node("add", Binary{}, {b, b});
  const ValueId r2 = h.graph().add_node("relu", Unary{}, {sum2});
  EXPECT_EQ(h.text(h.quantize("y", r2, 1.0F, 5)),
            std::string(kInput) +
                "  y_q.unclipped: u8 [N, 2, 2, 2] q(1, 5) = Add(x_q, x_q)  # add\n"
                "  y_q: u8 [N, 2, 2, 2] q(1, 5) = Clip(y_q.unclipped) low=0  # relu\n");
}

TEST(LowerQuantization, MovesBytesOnlyWhereParametersAgree) {
  const auto reshaped = [](float scale) {
    Qdq g;
    const ValueId a = g.fake("x", g.x(), 0.5F, 10);
    const ValueId f = g.graph().add_node("flat", Flatten{}, {a});
    return g.text(g.quantize("y", f, scale, 10));
  };
  EXPECT_EQ(reshaped(0.5F),
            std::string(kInput) + "  y_q: u8 [N, 8] q(0.5, 10) = Flatten(x_q) axis=1  # flat\n");
  EXPECT_NE(reshaped(0.25F).find("DequantizeLinear"), std::string::npos);
}

TEST(LowerQuantization, MovesSignedActivationsBy128) {
  Qdq g;
  const ValueId s = g.scalar("s", 0.5F);
  const ValueId z = g.scalar<std::int8_t>("z", -118);
  const ValueId q = g.graph().add_node("x_q", QuantizeLinear{}, {g.x(), s, z});
  const ValueId a = g.graph().add_node("x_dq", DequantizeLinear{}, {q, s, z});
  const ValueId w = g.weight("w", {2, 2, 1, 1}, 3, {0.5F});
  EXPECT_EQ(
      g.text(g.graph().add_node("conv", Conv{}, {a, w})),
      std::string(kInput) + "  conv: f32 [N, 2, 2, 2] = Conv(x_q, w: i8 [2, 2, 1, 1] q(0.5, 0))\n");
}

TEST(LowerQuantization, QuantizesFloatWeightsBehindTheirNodes) {
  Qdq g;
  const ValueId a = g.fake("x", g.x(), 0.5F, 10);
  const ValueId w = g.graph().add_constant("w", Constant::of<float>({1, 2, 1, 1}, {1.0F, -0.6F}));
  const ValueId s = g.scalar("ws", 0.5F);
  const ValueId z = g.scalar<std::int8_t>("wz", 0);
  const ValueId q = g.graph().add_node("wq", QuantizeLinear{}, {w, s, z});
  const ValueId d = g.graph().add_node("wd", DequantizeLinear{}, {q, s, z});
  const Graph lowered = g.lowered(g.graph().add_node("conv", Conv{}, {a, d}));
  const auto stored = lowered.constant(lowered.find("w"))->as<std::int8_t>();
  EXPECT_EQ(stored[0], 2);
  EXPECT_EQ(stored[1], -1);
}

TEST(LowerQuantization, MovesUnsignedWeightsBy128) {
  const auto conv = [](const std::vector<std::uint8_t>& values) {
    Qdq g;
    const ValueId a = g.fake("x", g.x(), 0.5F, 10);
    const ValueId w = g.graph().add_constant("w", Constant::of<std::uint8_t>({1, 2, 1, 1}, values));
    const ValueId d = g.graph().add_node(
        "wd", DequantizeLinear{}, {w, g.scalar("s", 0.5F), g.scalar<std::uint8_t>("z", 128)});
    const ValueId y = g.graph().add_node("conv", Conv{}, {a, d});
    const std::string refused = g.message(y);
    if (refused != "no error") return refused;
    const Graph lowered = g.lowered(y);
    const auto stored = lowered.constant(lowered.find("w"))->as<std::int8_t>();
    return str(int{stored[0]}, " ", int{stored[1]});
  };
  EXPECT_EQ(conv({1, 255}), "-127 127");
  EXPECT_EQ(conv({127, 128}), "-1 0");
  EXPECT_EQ(conv({128, 0}), "node \"conv\" (Conv): the weight holds -128; expected [-127, 127]");
}

TEST(LowerQuantization, AgreesWithTheFloatGraph) {
  Qdq g;
  const ValueId a = g.fake("x", g.x(), 0.5F, 10);
  const ValueId w = g.weight("w", {2, 2, 1, 1}, 3, {0.5F, 0.25F});
  const ValueId c = g.graph().add_node("conv", Conv{}, {a, w});
  const ValueId y = g.fake("y", c, 0.25F, 100);
  const Graph lowered = g.lowered(y);
  const Constant x = Constant::of<float>({1, 2, 2, 2}, {-4, -1, 0.4F, 1, 2, 3, 7.3F, 100});
  const auto expected = reference::evaluate(infer_shapes(g.graph()), {x}).at(0);
  const auto got = reference::evaluate(lowered, {x}).at(0);
  for (std::size_t i = 0; i < 8; ++i) EXPECT_EQ(got.as<float>()[i], expected.as<float>()[i]);
}

TEST(LowerQuantization, RefusesWhatHasNoExactForm) {
  const auto with_weight = [](std::int8_t value, std::int8_t zero, const Extents& shape) {
    Qdq g;
    const ValueId a = g.fake("x", g.x(), 0.5F, 10);
    const std::vector<std::int8_t> values(static_cast<std::size_t>(element_count(shape)), value);
    const ValueId q = g.graph().add_constant("w", Constant::of<std::int8_t>(shape, values));
    const ValueId d =
        g.graph().add_node("wd", DequantizeLinear{}, {q, g.scalar("s", 0.5F), g.scalar("z", zero)});
    return g.message(g.graph().add_node("conv", Conv{}, {a, d}));
  };
  EXPECT_EQ(with_weight(1, 3, {1, 2, 1, 1}),
            "node \"conv\" (Conv): the weight is asymmetric (zero point 3); quantize it "
            "symmetrically");
  EXPECT_EQ(with_weight(-128, 0, {1, 2, 1, 1}),
            "node \"conv\" (Conv): the weight holds -128; expected [-127, 127]");

  Qdq g;
  const ValueId a = g.fake("x", g.x(), 0.5F, 10);
  const ValueId w = g.weight("w", {1, 2, 1, 1}, 1, {0.5F});
  const ValueId b = g.bias("b", {2147483647}, {0.25F});
  EXPECT_EQ(g.message(g.graph().add_node("conv", Conv{}, {a, w, b})),
            "node \"conv\" (Conv): the sum of output channel 0 can leave 32 bits; keep this layer "
            "in f32");

  Qdq h;
  const ValueId scales = h.graph().add_constant("s", Constant::of<float>({2}, {1, 2}));
  const ValueId q = h.graph().add_node("q", QuantizeLinear{}, {h.x(), scales});
  EXPECT_EQ(h.message(q),
            "node \"q\" (QuantizeLinear): activations with 2 scales; expected one for the tensor");
}

}  // namespace
}  // namespace xgen::ir
