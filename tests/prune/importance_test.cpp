#include "prune/importance/importance.h"

#include <gtest/gtest.h>

#include "prune/importance/list.h"

namespace xgen::prune {
namespace {

Evidence evidence() {
  torch::manual_seed(1);
  Evidence e;
  e.weight = torch::randn({6, 4, 3, 3});
  e.absolute_gradient = torch::rand({6, 4, 3, 3});
  e.squared_gradient = torch::rand({6, 4, 3, 3});
  e.input_square = torch::tensor({1.0F, 4.0F, 0.0F, 0.25F});
  e.batch_norm_scale = torch::tensor({1.0F, -2.0F, 0.5F, 0.0F, 3.0F, 1.0F});
  return e;
}

torch::Tensor scores(const char* name, const Evidence& e) {
  return find_importance(name).scores(e);
}

TEST(Importance, ScoresEveryWeightWithANumberThatIsNotNegative) {
  const Evidence e = evidence();
#define SCORES(name, help)                                        \
  EXPECT_EQ(scores(#name, e).sizes(), e.weight.sizes()) << #name; \
  EXPECT_TRUE(scores(#name, e).ge(0).all().item<bool>()) << #name;
  XGEN_IMPORTANCES(SCORES)
#undef SCORES
}

TEST(Importance, IsWhatItsSourceSays) {
  const Evidence e = evidence();
  const auto w = e.weight[2][1][0][2].item<float>(),
             g = e.absolute_gradient[2][1][0][2].item<float>(),
             g2 = e.squared_gradient[2][1][0][2].item<float>();
  const auto at = [&](const char* name) { return scores(name, e)[2][1][0][2].item<float>(); };
  EXPECT_FLOAT_EQ(at("l2"), w * w);
  EXPECT_FLOAT_EQ(at("l1"), std::abs(w));
  EXPECT_FLOAT_EQ(at("taylor"), std::abs(w) * g);
  EXPECT_FLOAT_EQ(at("hessian"), w * w * g2 / 2);
  EXPECT_FLOAT_EQ(at("activation"), w * w * 4);
  EXPECT_FLOAT_EQ(scores("batch_norm", e)[1].sum().item<float>(), 2);
}

TEST(Importance, RanksTheFilterInTheMiddleLastByTheGeometricMedian) {
  Evidence e;
  e.weight = torch::zeros({5, 2, 1, 1});
  for (int f = 0; f < 5; ++f) e.weight[f].fill_(f * f);  // 0 1 4 9 16: the median is 4
  const torch::Tensor of_filter = scores("geometric_median", e).sum(at::IntArrayRef{1, 2, 3});
  EXPECT_EQ(of_filter.argmin().item<int>(), 2);
  EXPECT_NEAR(of_filter[2].item<double>(), (4 + 3 + 5 + 12) * std::sqrt(2.0), 1e-3);
}

}  // namespace
}  // namespace xgen::prune
