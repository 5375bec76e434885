#include "cli/run/sample_walk.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include "tests/cli/residual_network.h"
#include "tests/support/lined_images.h"

namespace xgen::cli {
namespace {

class SampleWalkTest : public ::testing::Test {
 protected:
  SampleBatches batches() const { return {data_, {}}; }
  std::string output_of(const std::string& node) const {
    const ir::Graph& graph = module_.graph();
    return graph.value(graph.find_node(node)->output()).name;
  }

  train::Dataset data_ = test::lined_images(150, 1, 90);  // two batches and a part of one
  train::GraphModule module_{test::residual_network()};
};

TEST_F(SampleWalkTest, ComputesNothingTwiceOnTheWay) {
  int convolutions = 0;
  module_.set_node_function([&](const ir::Node& node, const std::vector<torch::Tensor>&) {
    convolutions += node.as<ir::Conv>() != nullptr;
    return std::optional<std::vector<torch::Tensor>>();
  });
  for (const std::int64_t most_bytes : {SampleWalk::kMostBytes, std::int64_t{0}}) {
    SampleWalk walk({&module_}, batches(), most_bytes);
    convolutions = 0;
    std::int64_t seen = 0;
    for (const char* node : {"conv1", "conv2", "conv3"}) {
      walk.visit(output_of(node), [&](SampleWalk::Step& step) {
        step.passes.front().value(output_of(node));
        seen += step.labels.size(0);
      });
    }
    EXPECT_EQ(seen, 3 * data_.size());
    EXPECT_EQ(convolutions, most_bytes == 0 ? 3 * (1 + 2 + 3) : 3 * 3) << "of three batches";
  }
}

TEST_F(SampleWalkTest, ShowsTheSameWhateverIsHeldAndWhereverItStood) {
  SampleWalk held({&module_}, batches()), not_held({&module_}, batches(), 0);
  const auto seen = [&](SampleWalk& walk, const std::string& value) {
    std::vector<torch::Tensor> parts;
    walk.visit(value, [&](SampleWalk::Step& step) {
      parts.push_back(step.passes.front().value(value).clone());
    });
    return torch::cat(parts);
  };
  for (const char* node : {"relu1", "conv3", "conv2", "relu1", "add"}) {
    const torch::Tensor there = seen(held, output_of(node));
    EXPECT_EQ(there.size(0), data_.size());
    EXPECT_TRUE(torch::equal(there, seen(not_held, output_of(node)))) << node;
  }
}

TEST_F(SampleWalkTest, LeadsNetworksSideBySide) {
  train::GraphModule other(test::residual_network());
  {
    const torch::NoGradGuard no_grad;
    other.parameters().front().second.mul_(2);
  }
  SampleWalk walk({&module_, &other}, batches());
  EXPECT_EQ(&walk.first(), &module_);
  EXPECT_EQ(&walk.last(), &other);
  walk.visit(output_of("conv1"), [&](SampleWalk::Step& step) {
    const torch::Tensor one = step.passes[0].value(output_of("conv1")),
                        two = step.passes[1].value(output_of("conv1"));
    EXPECT_TRUE(torch::allclose(2 * one, two));
  });
}

}  // namespace
}  // namespace xgen::cli
