#include "prune/repair.h"

#include <gtest/gtest.h>

namespace xgen::prune {
namespace {

TEST(Repair, FindsTheLeastSquaresUnderTheMask) {
  torch::manual_seed(1);
  const WeightShape shape{4, 6, 1, 1};
  const torch::Tensor mix = torch::randn({6, 6}), x = mix.matmul(torch::randn({6, 200}));
  const torch::Tensor weight = torch::randn({4, 6, 1, 1});
  torch::Tensor keep = torch::ones({4, 6, 1, 1}, torch::kBool);
  for (const auto& [f, c] : {std::pair{0, 1}, {0, 3}, {1, 1}, {1, 3}, {2, 0}, {3, 5}})
    keep[f][c].fill_(false);
  Repair repair(shape);
  const torch::Tensor y = weight.flatten(1).matmul(x);
  repair.add(x.slice(1, 0, 120), y.slice(1, 0, 120));  // in parts
  repair.add(x.slice(1, 120), y.slice(1, 120));
  const torch::Tensor solved = repair.solve(weight, keep);
  EXPECT_EQ(solved.masked_select(keep.logical_not()).abs().sum().item<float>(), 0);
  const auto error = [&](const torch::Tensor& w) {
    return (w.flatten(1).matmul(x) - y).square().sum().item<double>();
  };
  const torch::Tensor cut = weight.masked_fill(keep.logical_not(), 0);
  EXPECT_LT(error(solved), 0.5 * error(cut));
  // Where it is smallest, no kept weight wants to move.
  const torch::Tensor pull = (solved.flatten(1).matmul(x) - y).matmul(x.t()).view_as(keep);
  EXPECT_LT(pull.masked_select(keep).abs().max().item<double>(),
            5e-3 * (cut.flatten(1).matmul(x) - y).matmul(x.t()).abs().max().item<double>());
}

TEST(Repair, LeavesWeightsThatNothingReads) {
  const WeightShape shape{2, 3, 1, 1};
  Repair repair(shape);
  torch::Tensor x = torch::ones({3, 10});
  x[1].fill_(0);
  const torch::Tensor weight =
      torch::tensor({1.0F, 2.0F, 3.0F, 4.0F, 5.0F, 6.0F}).view({2, 3, 1, 1});
  repair.add(x, weight.flatten(1).matmul(x));
  const torch::Tensor solved = repair.solve(weight, torch::ones({2, 3, 1, 1}, torch::kBool));
  EXPECT_TRUE(torch::allclose(solved, weight, 1e-4, 1e-4));
}

TEST(ConvolutionColumns, AreWhatFiltersAreMultipliedBy) {
  torch::manual_seed(2);
  const WeightShape shape{5, 3, 3, 2};
  const torch::Tensor x = torch::randn({2, 3, 9, 8}), w = torch::randn({5, 3, 3, 2});
  const torch::Tensor columns = convolution_columns(x, shape, {1, 0, 2, 1}, {2, 1}, {1, 2});
  const torch::Tensor want =
      at::conv2d(at::constant_pad_nd(x, {0, 1, 1, 2}, 0), w, {}, at::IntArrayRef{2, 1},
                 at::IntArrayRef{0, 0}, at::IntArrayRef{1, 2});
  const torch::Tensor got = w.flatten(1).matmul(columns);
  EXPECT_TRUE(torch::allclose(got, want.permute({1, 0, 2, 3}).flatten(1), 1e-4, 1e-4));
}

}  // namespace
}  // namespace xgen::prune
