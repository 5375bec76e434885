#include "search/proxies.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "core/error.h"
#include "search/spaces/macro.h"
#include "tests/support/message.h"
#include "train/zoo/net_builder.h"

namespace xgen::search {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

void set_weights(ir::Graph& network, const std::string& name, const std::vector<float>& values) {
  const ir::ValueId id = network.find(name);
  network.set_constant(
      id, ir::Constant::of<float>(network.constant(id)->shape, values, ir::Role::parameter));
}

// Images of one grey pixel; two filters, ReLU6, two classes.
ir::Graph pixel_net(const std::vector<float>& filters, const std::vector<float>& biases,
                    const std::vector<float>& classifier) {
  ir::Graph network = train::NetBuilder("pixel", 1, 1, 1, Random(1))
                          .conv("conv", 2, {.kernel = 1, .bias = true})
                          .relu6("relu")
                          .average_pool_to_features("pool")
                          .finish(2);
  set_weights(network, "conv.weight", filters);
  set_weights(network, "conv.bias", biases);
  set_weights(network, "fc.weight", classifier);
  return network;
}

train::Batch pixels(const std::vector<float>& values, const std::vector<std::int64_t>& labels) {
  train::Batch batch;
  batch.images = values;
  batch.labels = labels;
  batch.channels = batch.height = batch.width = 1;
  return batch;
}

train::Batch noise(std::int64_t n, std::int64_t channels, std::int64_t size) {
  train::Batch batch;
  batch.channels = channels;
  batch.height = batch.width = size;
  RandomStream random = Random(7).stream("noise");
  for (std::int64_t i = 0; i < n * channels * size * size; ++i)
    batch.images.push_back(static_cast<float>(random.normal()));
  for (std::int64_t i = 0; i < n; ++i) batch.labels.push_back(i % 3);
  return batch;
}

MacroSpace small_space() {
  MacroSpace space;
  space.image_channels = 1;
  space.image_size = 8;
  space.classes = 3;
  space.stem_channels = 4;
  space.head_channels = 8;
  space.stages = {{4, 2, 1}, {8, 1, 2}};
  space.blocks = {"identity", "mb1_k3", "mb3_k3"};
  return space;
}

TEST(Synflow, SumsWeightsTimesGradientsOfAbsoluteWeights) {
  // R = (1 + 2) + (0 + 3 * 2) = 9, which each of two layers without biases explains whole.
  EXPECT_DOUBLE_EQ(synflow_proxy(pixel_net({-1, 2}, {0, 0}, {1, -1, 0, 3}), pixels({5}, {0})), 18);
  // With a bias of 4 for the second filter: R = (1 + 6) + 3 * 6 = 25 for the classifier, of which
  // 9 come through the filters' weights.
  EXPECT_DOUBLE_EQ(synflow_proxy(pixel_net({-1, 2}, {0, -4}, {1, -1, 0, 3}), pixels({5}, {0})), 34);
}

TEST(Synflow, SeesBeyondWhatRelu6CutsOff) {
  EXPECT_DOUBLE_EQ(
      synflow_proxy(pixel_net({-1e30F, 0}, {0, 0}, {1e30F, 0, 0, 0}), pixels({5}, {0})),
      2 * static_cast<double>(1e30F) * static_cast<double>(1e30F));
}

TEST(Synflow, IgnoresBatchNorm) {
  ir::Graph network = small_space().network({1, 1, 1}, Random(1));
  const double before = synflow_proxy(network, noise(1, 1, 8));
  set_weights(network, "stem.bn.weight", {0, 9, 9, 9});
  EXPECT_EQ(synflow_proxy(network, noise(1, 1, 8)), before);
}

TEST(Synflow, IsMoreForLargerNetworks) {
  const auto score = [](const Point& point) {
    return synflow_proxy(small_space().network(point, Random(1)), noise(2, 1, 8));
  };
  EXPECT_GT(score({1, 0, 0}), score({0, 0, 0}));
  EXPECT_GT(score({1, 1, 1}), score({1, 0, 1}));
  EXPECT_GT(score({2, 2, 2}), score({1, 1, 1}));
}

TEST(Naswot, IsTheLogDeterminantOfWhatCodesHaveInCommon) {
  // 1 switches one filter on and 2 both: K is 2 1, 1 2.
  EXPECT_NEAR(naswot_proxy(pixel_net({1, 1}, {0, -1.5F}, {0, 0, 0, 0}), pixels({1, 2}, {0, 1})),
              std::log(3.0), 1e-12);
  // Opposite codes: K is 2 0, 0 2.
  EXPECT_NEAR(naswot_proxy(pixel_net({1, -1}, {0, 0}, {0, 0, 0, 0}), pixels({1, -1}, {0, 1})),
              std::log(4.0), 1e-12);
  EXPECT_EQ(naswot_proxy(pixel_net({1, 1}, {0, 0}, {0, 0, 0, 0}), pixels({1, 2}, {0, 1})),
            -kInfinity);
}

TEST(Naswot, RefusesANetworkWithoutRelus) {
  const ir::Graph network =
      train::NetBuilder("linear", 1, 1, 1, Random(1)).average_pool_to_features("pool").finish(2);
  EXPECT_EQ(test::message_of([&] {
              naswot_proxy(network, pixels({1, 2}, {0, 1}));
            }),
            "naswot: expected a network with ReLUs, \"linear\" has none; take another proxy");
}

TEST(GradNorm, IsTheNormOfAllGradientsTogether) {
  ir::Graph network =
      train::NetBuilder("linear", 1, 1, 1, Random(1)).average_pool_to_features("pool").finish(2);
  set_weights(network, "fc.weight", {0, 0});
  // Both classes are as likely: dL/dlogits = (-1/2, 1/2), times the pixel by the weights.
  EXPECT_NEAR(grad_norm_proxy(network, pixels({2}, {0})), std::sqrt(0.5 + 2), 1e-6);
  // Two labels that contradict each other leave nothing of either.
  EXPECT_NEAR(grad_norm_proxy(network, pixels({2, 2}, {0, 1})), 0, 1e-6);
}

TEST(GradNorm, IsLessWhereABranchIsDead) {
  const train::Batch batch = pixels({1, 2, -1}, {0, 1, 0});
  const double whole = grad_norm_proxy(pixel_net({1, -1}, {0, 0}, {1, -1, -1, 1}), batch);
  EXPECT_LT(grad_norm_proxy(pixel_net({1, 0}, {0, -1}, {1, -1, -1, 1}), batch), whole);
}

TEST(Proxies, ScoreAllZeroWeightsLowest) {
  const ir::Graph zero = small_space().network({2, 1, 2}, std::nullopt);
  const ir::Graph smallest = small_space().network({0, 0, 0}, Random(1));
  for (const std::string& name : proxy_names()) {
    const Proxy proxy = find_proxy(name, "here");
    EXPECT_LT(proxy(zero, noise(12, 1, 8)), proxy(smallest, noise(12, 1, 8))) << name;
  }
}

TEST(Proxies, GiveTheSameScoreAgain) {
  const ir::Graph network = small_space().network({2, 1, 2}, Random(1));
  for (const std::string& name : proxy_names()) {
    const Proxy proxy = find_proxy(name, "here");
    const double score = proxy(network, noise(12, 1, 8));
    EXPECT_TRUE(std::isfinite(score)) << name;
    EXPECT_EQ(proxy(network, noise(12, 1, 8)), score) << name;
  }
}

TEST(Proxies, DropNothing) {
  const ir::Graph network = train::NetBuilder("drop", 1, 8, 8, Random(1))
                                .conv_bn_relu("1", 4, {})
                                .dropout("drop", 0.5F)
                                .conv_bn_relu("2", 4, {})
                                .average_pool_to_features("pool")
                                .finish(3);
  ir::Graph without = network;
  for (ir::Node& node : without.mutable_nodes()) {
    if (node.as<ir::Dropout>() != nullptr) node.op = ir::Dropout{0};
  }
  for (const std::string& name : proxy_names()) {
    const Proxy proxy = find_proxy(name, "here");
    EXPECT_EQ(proxy(network, noise(12, 1, 8)), proxy(without, noise(12, 1, 8))) << name;
  }
}

TEST(Proxies, SuggestANameThatIsMeant) {
  EXPECT_EQ(test::message_of([] { find_proxy("synflw", "F: /proxy"); }),
            "F: /proxy: expected a proxy, got \"synflw\"; did you mean \"synflow\"?");
}

}  // namespace
}  // namespace xgen::search
