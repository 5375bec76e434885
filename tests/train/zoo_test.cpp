#include "train/zoo/zoo.h"

#include <gmock/gmock.h>

#include <set>

#include "core/ir/infer_shapes.h"
#include "core/ir/rewrite/fold_constants.h"
#include "core/ir/rewrite/shrink_channels.h"
#include "tests/support/channels.h"
#include "train/graph_module.h"

namespace xgen::train {
namespace {

TEST(Zoo, EveryModelClassifiesItsImages) {
  for (const ZooEntry& entry : zoo()) {
    SCOPED_TRACE(entry.name);
    const ir::Graph graph = make_zoo_model(entry.name, 7, 1);
    EXPECT_EQ(graph.name, entry.name);
    GraphModule module(graph);
    const torch::NoGradGuard no_grad;
    const Tensor y = module.forward(torch::ones({2, entry.channels, entry.height, entry.width}));
    EXPECT_EQ(y.sizes(), (std::vector<std::int64_t>{2, 7}));
    EXPECT_TRUE(at::isfinite(y).all().item<bool>());
    std::set<std::string> names;
    for (const ir::Node& node : graph.nodes()) names.insert(node.name);
    EXPECT_EQ(names.size(), graph.nodes().size());
  }
}

TEST(Zoo, EveryModelCanLoseChannels) {
  for (const ZooEntry& entry : zoo()) {
    SCOPED_TRACE(entry.name);
    const ir::Graph graph = ir::fold_constants(ir::infer_shapes(make_zoo_model(entry.name, 7, 1)));
    test::RandomTensors random(3);
    const torch::NoGradGuard no_grad;
    const Tensor x = torch::rand({2, entry.channels, entry.height, entry.width});
    const auto output = [&](const ir::Graph& g) {
      GraphModule module(g);
      module.train(false);
      return module.forward(x);
    };
    for (const double most : {0.3, 0.8}) {
      const auto units = test::random_units(ir::channel_groups(graph), most, random);
      ASSERT_FALSE(units.empty());
      const Tensor want = output(test::zeroed(graph, units)),
                   got = output(ir::shrink_channels(graph, units));
      EXPECT_TRUE(at::allclose(got, want, 1e-4, 1e-4 * want.abs().max().item<double>())) << most;
    }
  }
}

TEST(Zoo, HasThePublishedNumbersOfParameters) {
  const auto parameters = [](const char* name) {
    std::int64_t count = 0;
    const ir::Graph graph = make_zoo_model(name, 10, 1);
    for (const ir::Value& value : graph.values()) {
      if (value.constant && value.constant->role == ir::Role::parameter) {
        count += value.constant->size();
      }
    }
    return count;
  };
  EXPECT_EQ(parameters("lenet5"), 61706);
  // He et al. state 0.27, 0.46, 0.66 and 0.85 million.
  EXPECT_EQ(parameters("resnet20"), 269722);
  EXPECT_EQ(parameters("resnet32"), 464154);
  EXPECT_EQ(parameters("resnet44"), 658586);
  EXPECT_EQ(parameters("resnet56"), 853018);
  EXPECT_EQ(parameters("mobilenet_v2"), 2236682);
}

TEST(Zoo, TheSeedAloneDecidesTheWeights) {
  const auto hash = [](std::uint64_t seed) {
    return GraphModule(make_zoo_model("digits_cnn", 10, seed)).weights_hash();
  };
  EXPECT_EQ(hash(1), hash(1));
  EXPECT_NE(hash(1), hash(2));
}

TEST(Zoo, SaysWhichModelsItHas) {
  try {
    make_zoo_model("resnet2", 10, 1);
    FAIL();
  } catch (const UserError& error) {
    EXPECT_STREQ(error.what(),
                 "the zoo has no model \"resnet2\"; did you mean \"resnet20\"? (it has digits_cnn, "
                 "fashion_cnn, lenet5, mobilenet_v2, resnet20, resnet32, resnet44, resnet56, "
                 "vgg16_bn)");
  }
}

}  // namespace
}  // namespace xgen::train
