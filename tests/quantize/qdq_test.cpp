#include "quantize/qdq.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "quantize/integer_plan.h"

namespace xgen::quantize {
namespace {

using testing::ElementsAre;
using testing::UnorderedElementsAre;

ir::ValueId weight(ir::Graph& g, const std::string& name, const ir::Extents& shape) {
  std::vector<float> values(static_cast<std::size_t>(ir::element_count(shape)));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i % 7) - 3;
  return g.add_constant(name, ir::Constant::of<float>(shape, values, ir::Role::parameter));
}

/// conv1 - relu - conv2 - add - relu - max pool - average - flatten - fc - softmax.
ir::Graph residual_network() {
  ir::Graph g;
  const auto x = g.add_input("x", {ir::DType::f32, ir::Shape{"N", 4, 8, 8}, {}});
  ir::Conv same;
  same.pads = {1, 1, 1, 1};
  auto h = g.add_node("conv1", same, {x, weight(g, "w1", {4, 4, 3, 3}), weight(g, "b1", {4})});
  const auto relu = g.add_node("relu1", ir::Unary{}, {h});
  h = g.add_node("conv2", same, {relu, weight(g, "w2", {4, 4, 3, 3})});
  h = g.add_node("add", ir::Binary{}, {h, relu});
  h = g.add_node("relu2", ir::Unary{}, {h});
  ir::MaxPool pool;
  pool.kernel = pool.strides = {2, 2};
  h = g.add_node("pool", pool, {h});
  h = g.add_node("average", ir::GlobalAveragePool{}, {h});
  h = g.add_node("flatten", ir::Flatten{}, {h});
  ir::Gemm gemm;
  gemm.trans_b = true;
  h = g.add_node("fc", gemm, {h, weight(g, "w3", {10, 4}), weight(g, "b3", {10})});
  g.set_outputs({g.add_node("softmax", ir::Softmax{}, {h})});
  return g;
}

std::map<std::string, ActivationRange> ranges_of(const ir::Graph& graph) {
  std::map<std::string, ActivationRange> ranges;
  for (const std::string& name : values_to_observe(graph)) ranges[name] = {-1, 3};
  return ranges;
}

std::vector<std::string> ops_of(const ir::Graph& graph) {
  std::vector<std::string> ops;
  for (const ir::Node& node : graph.nodes()) ops.push_back(ir::op_name(node.op));
  return ops;
}

TEST(ValuesToObserve, AreThoseWithAScaleOfTheirOwn) {
  EXPECT_THAT(values_to_observe(residual_network()),
              UnorderedElementsAre("x", "relu1", "conv2", "relu2", "average"));
}

TEST(InsertQdq, RoundsAfterFusedActivationsAndNotAfterTheLastLayer) {
  const ir::Graph graph = residual_network();
  const ir::Graph qdq = insert_qdq(graph, ranges_of(graph));
  const std::string q = "QuantizeLinear";
  const std::string dq = "DequantizeLinear";
  EXPECT_THAT(ops_of(qdq),
              ElementsAre(q, dq,                                       // x
                          q, dq, "Conv", "Relu", q, dq,                // w1, conv1
                          q, dq, "Conv", q, dq, "Add", "Relu", q, dq,  // w2, conv2, add
                          "MaxPool", q, dq, "GlobalAveragePool", q, dq, "Flatten", q, dq,  //
                          q, dq, "Gemm", "Softmax"));
  const IntegerPlan plan = make_integer_plan(qdq);
  EXPECT_EQ(plan.nodes.size(), 7U);  // conv1, conv2, add, pool, average, flatten, fc
  EXPECT_FALSE(plan.nodes.at("fc").result.has_value());
  EXPECT_EQ(plan.nodes.at("conv1").result->interval.low, 64);  // ReLU at the zero point
  EXPECT_EQ(plan.nodes.at("conv2").result->interval.low, 0);
  EXPECT_THAT(plan.rounds, testing::SizeIs(1));  // the input
  EXPECT_TRUE(plan.scales.empty());
}

TEST(InsertQdq, MovedValuesKeepTheirScale) {
  const ir::Graph graph = residual_network();
  const ir::Graph qdq = insert_qdq(graph, ranges_of(graph));
  const ir::Node& pool = *qdq.find_node("pool/QuantizeLinear");
  EXPECT_EQ(qdq.value(pool.input(1)).name, "relu2/scale");
  EXPECT_EQ(qdq.value(qdq.find_node("flatten/QuantizeLinear")->input(2)).name,
            "average/zero_point");
}

TEST(InsertQdq, QuantizesWeightsPerOutputChannel) {
  const ir::Graph graph = residual_network();
  const ir::Graph qdq = insert_qdq(graph, ranges_of(graph));
  const ir::Node& q = *qdq.find_node("fc/weight/QuantizeLinear");
  EXPECT_EQ(q.as<ir::QuantizeLinear>()->axis, 0);
  EXPECT_EQ(qdq.constant(q.input(1))->size(), 10);
  EXPECT_EQ(qdq.constant(q.input(2))->dtype, ir::DType::i8);
  EXPECT_EQ(qdq.constant(q.input(0))->role, ir::Role::parameter);
}

TEST(InsertQdq, GivesWeightsTheScalesThatTheyAreBakedWith) {
  ir::Graph graph = residual_network();
  // Weights of many scales: of every second one the product with s_x / s_y rounds another way in
  // fp32 than in double, so that its scale is the next that does not.
  for (const char* name : {"w1", "w2", "w3"}) {
    const ir::ValueId id = graph.find(name);
    const ir::Constant& constant = *graph.constant(id);
    std::vector<float> values(constant.as<float>().begin(), constant.as<float>().end());
    for (std::size_t i = 0; i < values.size(); ++i)
      values[i] *= 0.1F + 0.0137F * static_cast<float>(i);
    graph.set_constant(id, ir::Constant::of<float>(constant.shape, values));
  }
  std::map<std::string, ActivationRange> ranges = ranges_of(graph);
  float high = 1;
  for (auto& [name, range] : ranges) range = {-1, high *= 1.37F};
  const ir::Graph qdq = insert_qdq(graph, ranges), baked = bake_weights(qdq);
  int nudged = 0;
  for (const char* layer : {"conv1", "conv2", "fc"}) {
    const std::string dq = str(layer, "/weight/DequantizeLinear");
    const auto inserted = qdq.constant(qdq.find_node(dq)->input(1))->as<float>(),
               final = baked.constant(baked.find_node(dq)->input(1))->as<float>();
    const ir::Node& q = *qdq.find_node(str(layer, "/weight/QuantizeLinear"));
    EXPECT_EQ(q.input(1), qdq.find_node(dq)->input(1));
    ASSERT_EQ(inserted.size(), final.size());
    const auto w = qdq.constant(q.input(0))->as<float>();
    const std::size_t inner = w.size() / final.size();
    for (std::size_t c = 0; c < final.size(); ++c) {
      EXPECT_EQ(inserted[c], final[c]) << layer << " " << c;
      float largest = 0;
      for (std::size_t i = 0; i < inner; ++i)
        largest = std::max(largest, std::abs(w[c * inner + i]));
      nudged += final[c] > largest / 127 ? 1 : 0;
    }
  }
  EXPECT_GT(nudged, 0);
}

TEST(InsertQdq, KeepsTheNameOfAnOutputThatIsReadInIntegersToo) {
  ir::Graph g;
  const auto x = g.add_input("x", {ir::DType::f32, ir::Shape{1, 4, 4, 4}, {}});
  const auto a = g.add_node("a", ir::Conv{}, {x, weight(g, "wa", {4, 4, 1, 1})});
  const auto b = g.add_node("b", ir::Conv{}, {a, weight(g, "wb", {4, 4, 1, 1})});
  g.set_outputs({a, b});
  const ir::Graph qdq = insert_qdq(g, ranges_of(g));
  EXPECT_EQ(qdq.value(qdq.outputs()[0]).name, "a");
  EXPECT_NE(qdq.producer(qdq.outputs()[0])->as<ir::DequantizeLinear>(), nullptr);
  EXPECT_EQ(qdq.value(qdq.outputs()[1]).name, "b");
  // The pair has a reader outside of the graph, so it holds real values.
  EXPECT_EQ(make_integer_plan(qdq).scales.count("a/DequantizeLinear"), 1U);
}

TEST(IntegerPlan, ReadingAShapeNeedsNoRealValues) {
  ir::Graph g;
  const auto x = g.add_input("x", {ir::DType::f32, ir::Shape{1, 4}, {}});
  const auto a = g.add_node("a", ir::MatMul{}, {x, weight(g, "wa", {4, 4})});
  const auto shape = g.add_node("shape", ir::ShapeOf{}, {a});
  const auto b = g.add_node("b", ir::Reshape{}, {a, shape});
  g.set_outputs({g.add_node("c", ir::MatMul{}, {b, weight(g, "wc", {4, 4})})});
  const IntegerPlan plan = make_integer_plan(insert_qdq(g, ranges_of(g)));
  EXPECT_TRUE(plan.scales.empty());
  EXPECT_EQ(plan.nodes.count("b"), 1U);
}

TEST(LayerTypes, SayWhyALayerStaysFloat) {
  const auto types = layer_types(residual_network(), {"conv2"});
  ASSERT_EQ(types.size(), 3U);
  EXPECT_TRUE(types[0].int8);
  EXPECT_FALSE(types[1].int8);
  EXPECT_EQ(types[1].reason, "excluded by \"conv2\"");
  try {
    layer_types(residual_network(), {"conf1"});
    FAIL();
  } catch (const UserError& error) {
    EXPECT_STREQ(error.what(),
                 "exclude \"conf1\" matches no layer with weights; did you mean \"conv1\"?");
  }
}

TEST(InsertQdq, RefusesALayerThatCanLeaveInt32) {
  ir::Graph g;
  const auto x = g.add_input("x", {ir::DType::f32, ir::Shape{1, 70000}, {}});
  const auto w =
      g.add_constant("w", ir::Constant::of<float>({70000, 1}, std::vector<float>(70000, 1)));
  g.set_outputs({g.add_node("wide", ir::MatMul{}, {x, w})});
  try {
    insert_qdq(g, ranges_of(g));
    FAIL();
  } catch (const UserError& error) {
    EXPECT_STREQ(error.what(),
                 "node \"wide\": channel 0: 255 * sum |weight| + |bias| is 2266950000 steps, and "
                 "int32 ends at 2147483647; exclude it from quantization");
  }
}

TEST(BakeWeights, LeavesIntegersAndTheirScales) {
  ir::Graph graph = residual_network();
  graph.value(graph.find("w1")).sparsity = Sparsity{};
  const ir::Graph baked = bake_weights(insert_qdq(graph, ranges_of(graph)));
  EXPECT_EQ(baked.find("w1"), ir::kNoValue);
  const ir::Node& dq = *baked.find_node("conv1/weight/DequantizeLinear");
  EXPECT_EQ(baked.constant(dq.input(0))->dtype, ir::DType::i8);
  EXPECT_TRUE(baked.value(dq.input(0)).sparsity.has_value());
  const ir::Node& bias = *baked.producer(baked.find_node("conv1")->input(2));
  EXPECT_EQ(baked.constant(bias.input(0))->dtype, ir::DType::i32);
  const float s_x = params_of({-1, 3}).scale[0];
  const auto s_w = baked.constant(dq.input(1))->as<float>();
  const auto s_b = baked.constant(bias.input(1))->as<float>();
  for (std::size_t c = 0; c < 4; ++c) {
    EXPECT_EQ(s_b[c], static_cast<float>(static_cast<double>(s_x) * static_cast<double>(s_w[c])));
  }
  EXPECT_EQ(baked.find_node("conv1/weight/QuantizeLinear"), nullptr);
  // Every node still reads what earlier nodes computed.
  const ir::UseMap uses(baked);
  for (std::size_t n = 0; n < baked.nodes().size(); ++n) {
    for (const ir::ValueId in : baked.nodes()[n].inputs) {
      if (in != ir::kNoValue) {
        EXPECT_LT(uses.producer[static_cast<std::size_t>(in)], static_cast<int>(n));
      }
    }
  }
}

}  // namespace
}  // namespace xgen::quantize
