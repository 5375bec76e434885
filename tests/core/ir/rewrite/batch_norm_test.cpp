#include <gtest/gtest.h>

#include "core/ir/infer_shapes.h"
#include "core/ir/print.h"
#include "core/ir/rewrite/fold_batch_norm.h"
#include "core/ir/rewrite/restore_batch_norm.h"
#include "core/reference/evaluate.h"

namespace xgen::ir {
namespace {

ValueId floats(Graph& graph, const std::string& name, const Extents& shape,
               const std::vector<float>& values) {
  return graph.add_constant(name, Constant::of<float>(shape, values));
}

std::vector<float> elements(const Graph& graph, const std::string& name) {
  const auto values = graph.constant(graph.find(name))->as<float>();
  return {values.begin(), values.end()};
}

/// x -> conv -> bn with k = 2, 0.5.
Graph conv_and_bn(bool with_bias) {
  Graph graph;
  graph.name = "g";
  const ValueId x = graph.add_input("x", {DType::f32, Shape{"N", 1, 4, 4}, {}});
  std::vector<ValueId> inputs{x, floats(graph, "w", {2, 1, 1, 2}, {1, 2, 3, 0})};
  if (with_bias) inputs.push_back(floats(graph, "b", {2}, {10, 20}));
  const ValueId y = graph.add_node("conv", Conv{}, inputs);
  BatchNorm bn;
  bn.epsilon = 0;
  const ValueId z =
      graph.add_node("bn", bn,
                     {y, floats(graph, "scale", {2}, {4, 1}), floats(graph, "shift", {2}, {1, 2}),
                      floats(graph, "mean", {2}, {3, 4}), floats(graph, "var", {2}, {4, 4})});
  graph.set_outputs({z});
  return infer_shapes(graph);
}

TEST(FoldBatchNorm, ScalesWeightsAndMovesTheBias) {
  Graph graph = conv_and_bn(true);
  graph.value(graph.find("w")).sparsity = Sparsity{};
  const Graph folded = fold_batch_norm(graph);
  EXPECT_EQ(print(folded),
            "g(x: f32 [N, 1, 4, 4]) -> bn\n"
            "  bn: f32 [N, 2, 4, 3] = Conv(x, w.folded: f32 [2, 1, 1, 2] dense, f32 {15, 10})  # "
            "conv+bn\n");
  EXPECT_EQ(elements(folded, "w.folded"), (std::vector<float>{2, 4, 1.5F, 0}));
  EXPECT_TRUE(folded.value(folded.find("w.folded")).sparsity.has_value());
}

TEST(FoldBatchNorm, GivesABiasToAConvolutionWithoutOne) {
  EXPECT_EQ(elements(fold_batch_norm(conv_and_bn(false)), "conv.bias.folded"),
            (std::vector<float>{-5, 0}));
}

TEST(FoldBatchNorm, SharesTheWeightWhereOnlyShapesMatter) {
  Graph graph = conv_and_bn(true);
  graph.value(graph.find("w")).sparsity = Sparsity{};
  const Graph folded = fold_batch_norm(graph, -1, false);
  EXPECT_EQ(print(folded), print(fold_batch_norm(graph)));
  const Value& weight = folded.value(folded.find("w.folded"));
  EXPECT_EQ(weight.constant, graph.value(graph.find("w")).constant);
  EXPECT_TRUE(weight.sparsity.has_value());
}

TEST(FoldBatchNorm, KeepsAConvolutionWithAnotherReader) {
  Graph graph = conv_and_bn(true);
  graph.set_outputs({graph.find("bn"), graph.find("conv")});
  EXPECT_EQ(fold_batch_norm(graph).nodes().size(), 2U);
}

TEST(FoldBatchNorm, ScalesTheColumnsOfAGemm) {
  Graph graph;
  const ValueId x = graph.add_input("x", {DType::f32, Shape{"N", 2}, {}});
  const ValueId y = graph.add_node("fc", Gemm{}, {x, floats(graph, "w", {2, 2}, {1, 2, 3, 4})});
  BatchNorm bn;
  bn.epsilon = 0;
  const ValueId one = floats(graph, "one", {2}, {1, 1});
  graph.set_outputs(
      {graph.add_node("bn", bn,
                      {y, floats(graph, "s", {2}, {10, 100}), floats(graph, "h", {2}, {0, 0}),
                       floats(graph, "m", {2}, {0, 0}), one})});
  EXPECT_EQ(elements(fold_batch_norm(infer_shapes(graph)), "w.folded"),
            (std::vector<float>{10, 200, 30, 400}));
}

TEST(RestoreBatchNorm, InsertsOneWithoutChangingTheOutputs) {
  const Graph folded = fold_batch_norm(conv_and_bn(true));
  const Graph restored = restore_batch_norm(folded, {{"conv+bn", {{5, -1}, {9, 0}}}});
  EXPECT_EQ(print(restored),
            "g(x: f32 [N, 1, 4, 4]) -> bn\n"
            "  conv+bn.no_bias: f32 [N, 2, 4, 3] = Conv(x, w.folded: f32 [2, 1, 1, 2])  # conv+bn\n"
            "  bn: f32 [N, 2, 4, 3] = BatchNormalization(conv+bn.no_bias, f32 {3, "
            "0.00316228}, f32 {5, -1}, f32 {-10, -11}, f32 {9, 0})  # conv+bn.bn\n");
  std::vector<float> pixels(16);
  for (std::size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<float>(i) / 3;
  const Constant x = Constant::of<float>({1, 1, 4, 4}, pixels);
  const auto before = reference::evaluate(folded, {x}).at(0);
  const auto after = reference::evaluate(restored, {x}).at(0);
  for (std::size_t i = 0; i < before.as<float>().size(); ++i)
    EXPECT_NEAR(after.as<float>()[i], before.as<float>()[i], 1e-4F);
}

TEST(RestoreBatchNorm, RefusesAnUnknownName) {
  EXPECT_THROW(restore_batch_norm(conv_and_bn(true), {{"other", {{0}, {1}}}}), InternalError);
}

}  // namespace
}  // namespace xgen::ir
