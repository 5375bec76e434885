#include "cli/run/sensitivity.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <algorithm>
#include <numeric>

#include "core/ir/one_image.h"
#include "prune/plan.h"
#include "tests/cli/residual_network.h"
#include "tests/support/lined_images.h"
#include "tests/support/temporary_folder.h"
#include "train/evaluate.h"

namespace xgen::cli {
namespace {

// A network that pruning can harm.
ir::Graph trained_network(const train::Dataset& data) {
  train::GraphModule module(test::residual_network());
  std::vector<std::int64_t> all(static_cast<std::size_t>(data.size()));
  std::iota(all.begin(), all.end(), 0);
  train::Batch batch = train::BatchMaker(data, {}, {}).plain(all);
  const torch::Tensor images = train::images_of(batch),
                      labels = train::targets_of(batch, torch::kCPU).labels;
  for (int step = 0; step < 60; ++step) {
    torch::nn::functional::cross_entropy(module.forward(images), labels).backward();
    const torch::NoGradGuard no_grad;
    for (const auto& [name, weight] : module.parameters()) {
      torch::Tensor parameter = weight;
      parameter.sub_(0.1 * weight.grad());
      parameter.mutable_grad() = torch::Tensor();
    }
  }
  return module.to_graph();
}

class SensitivityScanTest : public ::testing::Test {
 protected:
  SensitivityScanTest() {
    prune::PruneConfig config;
    config.scheme = "block";
    const ir::Graph image = ir::for_one_image(network_);
    const std::vector<prune::Layer> layers = prune::layers_of(image);
    for (const prune::Layer& layer : layers) {
      if (layer.prunable)
        planned_.push_back(
            prune::plan(layers, {{layer.weight, 2}}, config, prune::reader_of(image)).front());
    }
  }
  SensitivityScan scan(const std::string& file) const {
    return {{config_, splits_, torch::kCPU}, network_, folder_.path() / file};
  }

  test::TemporaryFolder folder_;
  RunConfig config_;
  train::DataSplits splits_{test::lined_images(150, 1, 90), test::lined_images(90, 2, 90), {}, {}};
  ir::Graph network_ = trained_network(splits_.train);
  std::vector<prune::PlannedLayer> planned_;
};

TEST_F(SensitivityScanTest, FindsTheSameHarmInWhateverOrderItIsAsked) {
  ASSERT_GE(planned_.size(), 3U);
  std::vector<double> alone;
  for (std::size_t i = 0; i < planned_.size(); ++i)
    alone.push_back(scan(str(i, ".json")).harm(planned_[i], "half"));
  EXPECT_GT(*std::max_element(alone.begin(), alone.end()), 0);
  SensitivityScan scan = this->scan("all.json");
  const SensitivityScan::Joint before = scan.joint_harm(planned_);
  for (const std::size_t i : {1U, 0U, 2U, 1U})
    EXPECT_EQ(scan.harm(planned_[i], str("asked ", i)), alone[i]) << i;
  EXPECT_EQ(scan.harm(planned_[0], "asked again"), alone[0]);
  const SensitivityScan::Joint after = scan.joint_harm(planned_);
  EXPECT_EQ(after.harm, before.harm);
  EXPECT_EQ(after.without, before.without);
  EXPECT_EQ(after.without.size(), planned_.size());
}

TEST_F(SensitivityScanTest, HarmsOneLayerAsTheNetworkWithoutTheOthersDoes) {
  SensitivityScan scan = this->scan("two.json");
  const std::vector<prune::PlannedLayer> two(planned_.begin(), planned_.begin() + 2);
  const SensitivityScan::Joint joint = scan.joint_harm(two);
  for (const std::size_t i : {0U, 1U})
    EXPECT_NEAR(std::max(0.0, joint.without[1 - i]), scan.harm(two[i], "half"), 1e-9);
}

}  // namespace
}  // namespace xgen::cli
