#include "tests/train/gradients.h"
#include "tests/train/support.h"

namespace xgen::train {
namespace {

/// One node on one input and parameters.
ir::Graph one_node(ir::Op op, const std::vector<Tensor>& parameters,
                   const std::vector<ir::Constant>& fixed = {}, bool buffers = false) {
  ir::Graph graph;
  std::vector<ir::ValueId> inputs = {graph.add_input("x", {ir::DType::f64, {}, {}})};
  int count = 0;
  for (const Tensor& p : parameters) {
    const ir::Role role = buffers && count >= 2 ? ir::Role::buffer : ir::Role::parameter;
    inputs.push_back(graph.add_constant(str("p", count++), double_constant(p, role)));
  }
  for (const ir::Constant& c : fixed) inputs.push_back(graph.add_constant("fixed", c));
  graph.set_outputs({graph.add_node("node", std::move(op), inputs)});
  return graph;
}

TEST(Gradients, OfConvolutions) {
  ir::Conv conv;
  conv.strides = {2, 1};
  conv.pads = {1, 0, 0, 2};  // not symmetric
  conv.dilations = {1, 2};
  conv.groups = 2;
  expect_right_gradients(one_node(conv, {spread({4, 2, 3, 2}, -2, 2, 3), spread({4})}),
                         {spread({2, 4, 5, 4})});
  conv = {};
  conv.pads = {1, 1, 1, 1};
  conv.epilogue.activation = {ir::Activation::Kind::leaky_relu, 0, 0, 0.1F, 0};
  expect_right_gradients(one_node(conv, {spread({3, 2, 3, 3}), spread({3})}),
                         {spread({1, 2, 4, 4})});
}

TEST(Gradients, OfBatchNormWithBatchAndWithRunningStatistics) {
  const std::vector<Tensor> parameters = {spread({3}), spread({3}), spread({3}),
                                          spread({3}, 0.5, 2)};
  for (const bool training : {false, true}) {
    const ir::Graph graph = one_node(ir::BatchNorm{}, parameters, {}, true);
    if (training) {
      expect_right_gradients(graph, {spread({2, 3, 2, 2})}, true);
    } else {
      expect_right_gradients(graph, {spread({2, 3, 2, 2})});
    }
  }
}

TEST(Gradients, OfMatrixProducts) {
  ir::Gemm gemm;
  gemm.trans_b = true;
  gemm.alpha = 0.5F;
  gemm.beta = 2;
  expect_right_gradients(one_node(gemm, {spread({4, 3}), spread({4})}), {spread({2, 3})});
  gemm.trans_a = true;
  gemm.trans_b = false;
  expect_right_gradients(one_node(gemm, {spread({3, 4})}), {spread({3, 2})});
  expect_right_gradients(one_node(ir::MatMul{}, {spread({3, 2})}), {spread({2, 2, 3})});
}

TEST(Gradients, OfPools) {
  ir::MaxPool max;
  max.kernel = {3, 2};
  max.strides = {2, 2};
  max.pads = {1, 0, 0, 1};
  max.ceil_mode = true;
  expect_right_gradients(one_node(max, {}), {spread({1, 2, 6, 5})});
  for (const bool include : {false, true}) {
    for (const std::int64_t dilation : {1, 2}) {
      ir::AveragePool average;
      average.kernel = {3, 2};
      average.strides = {2, 1};
      average.pads = {1, 0, 2, 1};
      average.dilations = {1, dilation};
      average.ceil_mode = true;
      average.count_include_pad = include;
      expect_right_gradients(one_node(average, {}), {spread({1, 2, 6, 5})});
    }
  }
  expect_right_gradients(one_node(ir::GlobalAveragePool{}, {}), {spread({2, 2, 3, 2})});
}

TEST(Gradients, OfElementWiseOperators) {
  using Kind = ir::Unary::Kind;
  for (const Kind kind : {Kind::relu, Kind::leaky_relu, Kind::clip, Kind::sigmoid, Kind::tanh,
                          Kind::silu, Kind::hard_sigmoid, Kind::hard_swish, Kind::exp, Kind::log,
                          Kind::neg, Kind::sqrt, Kind::abs, Kind::erf, Kind::reciprocal}) {
    ir::Unary op{kind};
    op.alpha = 0.2F;
    op.beta = 0.5F;
    op.low = -1;
    op.high = 0.8F;
    const bool positive = kind == Kind::log || kind == Kind::sqrt || kind == Kind::reciprocal;
    SCOPED_TRACE(ir::op_name(op));
    expect_right_gradients(one_node(op, {}), {spread({2, 5}, positive ? 0.5 : -4, 4)});
  }
  using Binary = ir::Binary::Kind;
  for (const Binary kind : {Binary::add, Binary::sub, Binary::mul, Binary::div, Binary::pow,
                            Binary::max, Binary::min}) {
    ir::Binary op{kind};
    SCOPED_TRACE(ir::op_name(op));
    expect_right_gradients(one_node(op, {spread({3, 1}, 0.5, 2, 5)}), {spread({2, 3, 2}, 0.6, 3)});
  }
}

TEST(Gradients, OfSoftmaxAndReductions) {
  expect_right_gradients(one_node(ir::Softmax{1}, {}), {spread({2, 3, 2})});
  using Kind = ir::Reduce::Kind;
  for (const Kind kind : {Kind::mean, Kind::sum, Kind::max}) {
    expect_right_gradients(one_node(ir::Reduce{kind, true}, {}, {integers({-1, 1})}),
                           {spread({2, 3, 2})});
    expect_right_gradients(one_node(ir::Reduce{kind, false}, {}), {spread({2, 3})});
  }
}

TEST(Gradients, OfMovements) {
  const Tensor x = spread({2, 3, 4, 5});
  expect_right_gradients(one_node(ir::Concat{1}, {spread({2, 2, 4, 5})}), {x});
  expect_right_gradients(
      one_node(ir::Slice{}, {},
               {integers({0, -1}), integers({4, -6}), integers({2, 3}), integers({3, -2})}),
      {x});
  expect_right_gradients(one_node(ir::Pad{}, {}, {integers({0, 1, 0, 2, 0, 0, 3, 1})}), {x});
  expect_right_gradients(one_node(ir::Reshape{}, {}, {integers({0, -1, 10})}), {x});
  expect_right_gradients(one_node(ir::Flatten{2}, {}), {x});
  expect_right_gradients(one_node(ir::Transpose{{0, 2, 3, 1}}, {}), {x});
  expect_right_gradients(one_node(ir::Unsqueeze{}, {}, {integers({0, -1})}), {x});
  expect_right_gradients(one_node(ir::Squeeze{}, {}, {integers({1})}), {spread({2, 1, 3})});
  expect_right_gradients(one_node(ir::Gather{2}, {}, {integers({1, -1, 1})}), {x});
}

TEST(Gradients, OfResize) {
  using Coordinates = ir::Resize::Coordinates;
  for (const auto rule : {Coordinates::half_pixel, Coordinates::pytorch_half_pixel,
                          Coordinates::align_corners, Coordinates::asymmetric}) {
    ir::Graph graph;
    const auto x = graph.add_input("x", {ir::DType::f64, {}, {}});
    const auto scales = graph.add_constant("scales", ir::Constant::of<float>({4}, {1, 1, 2, 1.5F}));
    ir::Resize linear;
    linear.mode = ir::Resize::Mode::linear;
    linear.coordinates = rule;
    ir::Resize nearest;
    nearest.coordinates = rule;
    const auto a = graph.add_node("linear", linear, {x, ir::kNoValue, scales});
    const auto b = graph.add_node("nearest", nearest, {x, ir::kNoValue, scales});
    graph.set_outputs({a, b});
    expect_right_gradients(graph, {spread({1, 2, 3, 4})});
  }
}

TEST(Gradients, PassThroughQuantizationWhereNothingSaturates) {
  ir::Graph graph;
  const auto x = graph.add_input("x", {ir::DType::f32, {}, {}});
  const auto scale = graph.add_constant("scale", ir::Constant::scalar(0.5F));
  const auto zero = graph.add_constant("zero", ir::Constant::scalar<std::uint8_t>(10));
  const auto q = graph.add_node("q", ir::QuantizeLinear{}, {x, scale, zero});
  graph.set_outputs({graph.add_node("dq", ir::DequantizeLinear{}, {q, scale, zero})});
  GraphModule module(graph);
  const Tensor input =
      torch::tensor({-6.0F, -5.0F, 0.25F, 0.75F, 1.1F, 122.5F, 123.0F}).requires_grad_(true);
  const Tensor y = module.forward(input);
  EXPECT_TRUE(at::equal(y, torch::tensor({-5.0F, -5.0F, 0.0F, 1.0F, 1.0F, 122.5F, 122.5F})));
  y.sum().backward();
  EXPECT_TRUE(at::equal(input.grad(), torch::tensor({0.0F, 1.0F, 1.0F, 1.0F, 1.0F, 1.0F, 0.0F})));
}

TEST(Gradients, OfAParameterWithTwoReadersAddUp) {
  ir::Graph graph;
  const auto x = graph.add_input("x", {ir::DType::f64, {}, {}});
  const auto w = graph.add_constant("w", double_constant(spread({3, 3}), ir::Role::parameter));
  const auto first = graph.add_node("first", ir::MatMul{}, {x, w});
  graph.set_outputs({graph.add_node("second", ir::MatMul{}, {first, w})});
  EXPECT_EQ(GraphModule(graph).parameters().size(), 1U);
  expect_right_gradients(graph, {spread({2, 3})});
}

}  // namespace
}  // namespace xgen::train
