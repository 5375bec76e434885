#include "prune/masks.h"

#include <gtest/gtest.h>
#include <torch/optim/sgd.h>

namespace xgen::prune {
namespace {

const PatternSet kTwo{{{0b000'011'011}, {0b110'110'000}}};

PlannedLayer conv_layer() {
  return {"w", {8, 8, 3, 3}, false, {Sparsity::Scheme::pattern, 4, 4, kTwo, 3}};
}
PlannedLayer matmul_layer() {
  const WeightShape shape{6, 8, 1, 1};
  return {"m", shape, true, {Sparsity::Scheme::block, 4, 4, all_taps(shape), 2}};
}

Params random_params() {
  torch::manual_seed(1);
  return {{"w", torch::randn({8, 8, 3, 3}).requires_grad_()},
          {"m", torch::randn({8, 6}).requires_grad_()}};
}

bool equal_bits(const torch::Tensor& a, const torch::Tensor& b) {
  return torch::equal(a.contiguous().view(torch::kInt32), b.contiguous().view(torch::kInt32));
}

TEST(MaskSet, FollowsTheLayoutOfTheWeight) {
  const Params params = random_params();
  const MaskSet masks = magnitude_masks(params, {matmul_layer()});
  const LayerMask& mask = masks.layers().at("m");
  EXPECT_EQ(mask.keep.sizes().vec(), (std::vector<std::int64_t>{8, 6}));
  // Filters are columns: each block is 4 rows of one group of columns.
  const auto expanded = expand_mask(mask.sparsity, mask.shape);
  for (std::int64_t in = 0; in < 8; ++in) {
    for (std::int64_t out = 0; out < 6; ++out) {
      EXPECT_EQ(mask.keep[in][out].item<bool>(), expanded[static_cast<std::size_t>(out * 8 + in)]);
    }
  }
}

TEST(MaskSet, ZerosSurviveOptimiserSteps) {
  const Params params = random_params();
  const MaskSet masks = magnitude_masks(params, {conv_layer(), matmul_layer()});
  EXPECT_NE(masks.hash_of(params), masks.hash());
  masks.apply(params);
  EXPECT_EQ(masks.hash_of(params), masks.hash());
  torch::optim::SGD sgd({params.at("w"), params.at("m")},
                        torch::optim::SGDOptions(0.1).momentum(0.9).weight_decay(0.1));
  for (int step = 0; step < 3; ++step) {
    sgd.zero_grad();
    ((params.at("w") - 1).square().sum() + (params.at("m") - 1).square().sum()).backward();
    sgd.step();
    EXPECT_NE(masks.hash_of(params), masks.hash());
    masks.apply(params);
    EXPECT_EQ(masks.hash_of(params), masks.hash());
  }
  const torch::Tensor pruned =
      params.at("w").detach().masked_select(masks.layers().at("w").keep.logical_not());
  EXPECT_EQ(pruned.numel(), 8 * 8 * 9 - 3 * 16 * 4);
  EXPECT_TRUE(equal_bits(pruned, torch::zeros_like(pruned)));
}

TEST(MaskSet, ClearsTheGradientsOfPrunedWeights) {
  const Params params = random_params();
  const MaskSet masks = magnitude_masks(params, {conv_layer()});
  masks.apply_to_gradients(params);  // no gradient yet: nothing to do
  params.at("w").sum().backward();
  masks.apply_to_gradients(params);
  EXPECT_EQ(params.at("w").grad().sum().item<float>(), 3 * 16 * 4);
}

TEST(MaskSet, ComesBackFromItsState) {
  const Params params = random_params();
  const MaskSet masks = magnitude_masks(params, {conv_layer(), matmul_layer()});
  MaskSet loaded;
  loaded.load(masks.state());
  EXPECT_EQ(loaded.hash(), masks.hash());
  EXPECT_EQ(loaded.layers().at("w").sparsity, masks.layers().at("w").sparsity);
  EXPECT_EQ(loaded.layers().at("m").keep.sizes(), masks.layers().at("m").keep.sizes());
  Params broken = masks.state();
  broken.erase("m/kept");
  try {
    loaded.load(broken);
    FAIL();
  } catch (const UserError& error) {
    EXPECT_STREQ(error.what(), "checkpoint: expected a mask \"m/kept\", got nothing");
  }
}

TEST(MaskSet, AnnotatesTheGraphAndZeroesItsConstants) {
  const Params params = random_params();
  const MaskSet masks = magnitude_masks(params, {matmul_layer()});
  ir::Graph graph;
  const auto x = graph.add_input("x", {});
  const auto m =
      graph.add_constant("m", ir::Constant::of<float>({8, 6}, std::vector<float>(48, 2)));
  graph.set_outputs({graph.add_node("y", ir::MatMul{}, {x, m})});
  const ir::Graph annotated = masks.annotate(graph);
  const ir::Value& value = annotated.value(annotated.find("m"));
  ASSERT_TRUE(value.sparsity.has_value());
  EXPECT_EQ(*value.sparsity, masks.layers().at("m").sparsity);
  const auto weights = value.constant->as<float>();
  for (std::int64_t i = 0; i < 48; ++i) {
    EXPECT_EQ(weights[static_cast<std::size_t>(i)],
              masks.layers().at("m").keep.view(-1)[i].item<bool>() ? 2.0F : 0.0F);
  }
  EXPECT_EQ(graph.constant(m)->as<float>()[0], 2.0F);  // the original is untouched
}

}  // namespace
}  // namespace xgen::prune
