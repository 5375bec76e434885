#include "search/spaces/model.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>

#include "core/ir/print.h"
#include "core/ir/rewrite/fold_constants.h"
#include "core/ir/rewrite/rebatch.h"
#include "core/ir/rewrite/simplify.h"
#include "core/onnx/import.h"
#include "tests/search/spaces/model_fixture.h"
#include "tests/search/spaces/samples.h"
#include "tests/support/random_graph.h"
#include "tests/support/temporary_folder.h"
#include "train/zoo/net_builder.h"
#include "train/zoo/zoo.h"

namespace xgen::search {
namespace {

using namespace test_models;
using ::testing::ElementsAre;

/// Networks of other people.
class ModelSpaceOfFiles : public testing::Test {
  void SetUp() override {
    if (!std::filesystem::exists(models()))
      GTEST_SKIP() << "no folder of models beside the project";
  }
};

std::vector<std::string> names_of(const ModelSpace& space) {
  std::vector<std::string> names;
  for (const Parameter& parameter : space.space().parameters) names.push_back(parameter.name);
  return names;
}

class SmallNet {
 public:
  SmallNet() { export_onnx(small_net(), folder_ / "small.onnx"); }
  [[nodiscard]] ModelSpace space(json config) const {
    config["onnx"] = "small.onnx";
    return loaded(config, folder_.path());
  }

 private:
  test::TemporaryFolder folder_;
};

void expect_equal(const ir::Graph& got, const ir::Graph& want) {
  EXPECT_EQ(ir::print(got), ir::print(want));
  for (const ir::Value& value : want.values()) {
    if (value.constant == nullptr) continue;
    const ir::ValueId id = got.find(value.name);
    ASSERT_NE(id, ir::kNoValue) << value.name;
    EXPECT_TRUE(got.constant(id)->bytes == value.constant->bytes) << value.name;
  }
}

json everything_of(const char* key, const std::string& model) {
  json config = everything();
  config[key] = model;
  return config;
}

// An ONNX file as training takes it.
ir::Graph as_trained(const std::filesystem::path& file) {
  const ir::Graph graph = *ir::rebatch(ir::infer_shapes(import_onnx(file))).graph;
  return ir::infer_shapes(ir::simplify(ir::fold_constants(ir::infer_shapes(graph))));
}

TEST(ModelSpace, BuildsNetworksThatCompile) {
  json resnet = everything_of("zoo", "resnet20");
  resnet["resolutions"] = {32, 24, 20};
  test::expect_networks(loaded(resnet), 50, {"N", 10});
  json vgg = everything_of("zoo", "vgg16_bn");
  vgg.erase("blocks");
  test::expect_networks(loaded(vgg), 10, {"N", 10});
  json mobilenet = everything_of("zoo", "mobilenet_v2");
  mobilenet["classes"] = 7;
  test::expect_networks(loaded(mobilenet), 10, {"N", 7});
}

TEST_F(ModelSpaceOfFiles, BuildsNetworksThatCompile) {
  test::expect_networks(loaded(everything_of("onnx", "resnet-cifar10/resnet20.onnx")), 50,
                        {"N", 10});
  json squeezenet =
      everything_of("onnx", "squeezenet-deep-compression/squeezenet_v1.0_decoded.onnx");
  squeezenet["operators"] = {"keep", "dw3x3+1x1", "1x1"};
  squeezenet.erase("blocks");
  const ModelSpace squeeze = loaded(squeezenet);
  const ir::Graph first = squeeze.network(point_with(squeeze, {}), std::nullopt);
  test::expect_networks(squeeze, 10, *first.value(first.outputs()[0]).type.shape);
  json yolox = everything_of("onnx", "yolox-nano/yolox_nano.onnx");
  yolox["activations"] = {"keep", "relu", "hard_swish"};
  test::expect_networks(loaded(yolox), 10, {"N", 3549, 85});
}

TEST_F(ModelSpaceOfFiles, IsTheModelItselfAtTheFirstChoices) {
  const ModelSpace one = loaded({{"onnx", "resnet-cifar10/resnet20.onnx"}});
  EXPECT_EQ(one.space().size(), 1);
  const ir::Graph file = as_trained(models() / "resnet-cifar10/resnet20.onnx");
  expect_equal(one.network({}, Random(4)), file);
  const ModelSpace many = loaded(everything_of("onnx", "resnet-cifar10/resnet20.onnx"));
  expect_equal(many.network(point_with(many, {}), std::nullopt), file);
}

TEST(ModelSpace, IsTheZoosNetworkWhereNothingIsOffered) {
  const ModelSpace nothing =
      loaded({{"zoo", "resnet20"}, {"operators", {"keep"}}, {"widths", {1}}, {"blocks", {"keep"}}});
  EXPECT_EQ(nothing.space().size(), 1);
  expect_equal(nothing.network({}, Random(9)),
               ir::infer_shapes(train::make_zoo_model("resnet20", 10, 9)));
}

TEST(ModelSpace, OffersEachConvolutionWhatFitsIt) {
  const SmallNet net;
  const ModelSpace space = net.space(everything());
  EXPECT_THAT(names_of(space),
              ElementsAre("width:conv1", "width:a.conv1", "width:b.conv1", "width:last", "block1",
                          "block2", "operator:conv1", "operator:a.conv1", "operator:a.conv2",
                          "operator:b.conv1", "operator:b.conv2", "operator:last"));
  const std::vector<Parameter> parameters = space.space().parameters;
  EXPECT_THAT(parameters[6].choices, ElementsAre("keep", "1x1", "dw3x3+1x1", "1x1+dw3x3+1x1"));
  EXPECT_THAT(parameters[11].choices,
              ElementsAre("keep", "1x1", "dw3x3+1x1", "1x1+dw3x3+1x1", "skip"));
  const ModelSpace some = net.space({{"operators", {"keep", "skip", "dw5x5", "5x5"}},
                                     {"widths", {1, 0.5}},
                                     {"exclude", {"conv1", "*.conv2"}}});
  // conv1 and both conv2 share their channels; "last" alone can be skipped.
  EXPECT_THAT(names_of(some),
              ElementsAre("width", "operator:a.conv1", "operator:b.conv1", "operator:last"));
  EXPECT_THAT(some.space().parameters[1].choices, ElementsAre("keep", "5x5"));
  EXPECT_THAT(some.space().parameters[3].choices, ElementsAre("keep", "skip", "dw5x5", "5x5"));
}

TEST(ModelSpace, SkipsBlocksAndConvolutions) {
  const SmallNet net;
  const ModelSpace space = net.space(everything());
  EXPECT_EQ(outputs_of(space.network(point_with(space, {}), Random(1))), outputs_of(small_net()));
  EXPECT_EQ(outputs_of(space.network(point_with(space, {{"block1", "skip"}}), Random(1))),
            outputs_of(small_net({.first_block = false})));
  EXPECT_EQ(outputs_of(space.network(point_with(space, {{"block2", "skip"}}), Random(1))),
            outputs_of(small_net({.second_block = false})));
  EXPECT_FALSE(
      space.space().contains(point_with(space, {{"block2", "skip"}, {"operator:b.conv1", "1x1"}})))
      << "what is not there has one form";
  EXPECT_EQ(
      outputs_of(space.network(
          point_with(space, {{"block1", "skip"}, {"block2", "skip"}, {"operator:last", "skip"}}),
          Random(1))),
      outputs_of(small_net({false, false, false})));
}

TEST(ModelSpace, ReplacesAConvolutionByFreshLayersAndKeepsAllOtherWeights) {
  const SmallNet net;
  const ModelSpace space = net.space(everything());
  const Point point = point_with(space, {{"operator:a.conv1", "1x1+dw3x3+1x1"}});
  const ir::Graph graph = space.network(point, Random(1)), model = small_net();
  std::vector<std::string> fresh;
  for (const ir::Node& node : graph.nodes()) {
    if (model.find_node(node.name) == nullptr)
      fresh.push_back(str(node.name, ": ", ir::print(node.op), " ",
                          ir::to_string(*graph.value(node.output()).type.shape)));
  }
  EXPECT_THAT(fresh, ElementsAre("a.conv1.1.1x1: Conv [N, 12, 8, 8]",
                                 "a.conv1.1.1x1.bn: BatchNormalization [N, 12, 8, 8]",
                                 "a.conv1.1.1x1.relu: Relu [N, 12, 8, 8]",
                                 "a.conv1.2.dw3x3: Conv pads=1,1,1,1 groups=12 [N, 12, 8, 8]",
                                 "a.conv1.2.dw3x3.bn: BatchNormalization [N, 12, 8, 8]",
                                 "a.conv1.2.dw3x3.relu: Relu [N, 12, 8, 8]",
                                 "a.conv1.3.1x1: Conv [N, 12, 8, 8]",
                                 "a.conv1.3.1x1.bn: BatchNormalization [N, 12, 8, 8]"));
  int kept = 0;
  for (const ir::Value& value : model.values()) {
    if (value.constant == nullptr || value.name.starts_with("a.conv1.") ||
        value.name.starts_with("a.bn1."))
      continue;
    const ir::ValueId id = graph.find(value.name);
    ASSERT_NE(id, ir::kNoValue) << value.name;
    EXPECT_TRUE(graph.constant(id)->bytes == value.constant->bytes) << value.name;
    ++kept;
  }
  EXPECT_EQ(kept, 24);
  const auto variance = [&](const char* name) {
    const auto w = graph.constant(graph.find(name))->as<float>();
    double sum = 0;
    for (const float v : w) sum += static_cast<double>(v) * v;
    return sum / static_cast<double>(w.size());
  };
  EXPECT_NEAR(variance("a.conv1.3.1x1.weight"), 2.0 / 12, 0.06);
  EXPECT_NEAR(variance("a.conv1.2.dw3x3.weight"), 2.0 / 9, 0.08);
  EXPECT_NE(outputs_of(graph), outputs_of(space.network(point, Random(2))));
  EXPECT_EQ(outputs_of(graph), outputs_of(space.network(point, Random(1))));
}

TEST(ModelSpace, ComputesWhatTheReplacedLayersCompute) {
  const SmallNet net;
  const ModelSpace space = net.space(everything());
  const ir::Graph graph =
      space.network(point_with(space, {{"operator:last", "dw3x3+1x1"}}), Random(1));
  // By hand: the layers in place of "last", with the weights that were drawn.
  ir::Graph by_hand = small_net();
  const auto constant = [&](const std::string& name) {
    return by_hand.add_constant(name, *graph.constant(graph.find(name)));
  };
  const auto at = std::find_if(by_hand.nodes().begin(), by_hand.nodes().end(),
                               [](const ir::Node& node) { return node.name == "last"; });
  const auto index = at - by_hand.nodes().begin();
  const ir::ValueId x = at->inputs[0], y = at->output();
  const auto batch_norm = [&](const std::string& name, ir::ValueId from) {
    return by_hand.add_node(name, ir::BatchNorm{},
                            {from, constant(name + ".scale"), constant(name + ".shift"),
                             constant(name + ".mean"), constant(name + ".variance")});
  };
  ir::Conv depthwise;
  depthwise.groups = 8;
  depthwise.pads = {1, 1, 1, 1};
  const ir::ValueId spread =
      by_hand.add_node("last.1.dw3x3", depthwise, {x, constant("last.1.dw3x3.weight")});
  const ir::ValueId active =
      by_hand.add_node("last.1.dw3x3.relu", ir::Unary{}, {batch_norm("last.1.dw3x3.bn", spread)});
  const ir::ValueId mixed =
      by_hand.add_node("last.2.1x1", ir::Conv{}, {active, constant("last.2.1x1.weight")});
  const ir::ValueId last = batch_norm("last.2.1x1.bn", mixed);
  by_hand.replace_uses(y, last);
  auto& nodes = by_hand.mutable_nodes();
  std::rotate(nodes.begin() + index, nodes.end() - 5, nodes.end());
  EXPECT_EQ(outputs_of(graph), outputs_of(ir::infer_shapes(by_hand.pruned())));
}

TEST(ModelSpace, KeepsTheExtentsOfStridedAndUnpaddedConvolutions) {
  train::NetBuilder net("n", 3, 9, 9, Random(1));
  net.conv("same", 4, {.kernel = 5, .stride = 2}).conv("valid", 4, {.pad = 0});
  const test::TemporaryFolder folder;
  export_onnx(ir::infer_shapes(net.average_pool_to_features("p").finish(2)), folder / "n.onnx");
  const ModelSpace space =
      loaded({{"onnx", "n.onnx"}, {"operators", {"keep", "1x1", "3x3", "5x5", "1x1+dw7x7+1x1"}}},
             folder.path());
  // A 1x1 kernel without padding would give more positions than the 3x3 one.
  EXPECT_THAT(names_of(space), ElementsAre("operator:same", "operator:valid"));
  EXPECT_THAT(space.space().parameters[0].choices,
              ElementsAre("keep", "1x1", "3x3", "1x1+dw7x7+1x1"));
  EXPECT_THAT(space.space().parameters[1].choices, ElementsAre("keep", "5x5"));
  test::expect_networks(space, 20, {"N", 2});
  const ir::Graph graph =
      space.network(point_with(space, {{"operator:same", "1x1"}}), std::nullopt);
  EXPECT_EQ(ir::print(graph.find_node("same.1.1x1")->op), "Conv strides=2,2");
}

TEST(ModelSpace, KeepsTheChannelsWithTheLargestFilters) {
  const SmallNet net;
  const ModelSpace space = net.space(everything());
  const ir::Graph model = small_net(),
                  graph = space.network(point_with(space, {{"width:a.conv1", "0.5"}}), Random(1));
  const auto weight_of = [](const ir::Graph& g, const char* name) {
    return *g.constant(g.find(name));
  };
  const ir::Constant before = weight_of(model, "a.conv1.weight"),
                     after = weight_of(graph, "a.conv1.weight");
  EXPECT_EQ(before.shape, (ir::Extents{12, 8, 3, 3}));
  EXPECT_EQ(after.shape, (ir::Extents{8, 8, 3, 3}));  // six, in whole multiples of 4
  EXPECT_EQ(weight_of(graph, "a.conv2.weight").shape, (ir::Extents{8, 8, 3, 3}));
  EXPECT_EQ(weight_of(graph, "b.conv1.weight").shape, (ir::Extents{12, 8, 3, 3}));
  std::vector<std::pair<double, std::size_t>> norms;
  for (std::size_t f = 0; f < 12; ++f) {
    double norm = 0;
    for (std::size_t i = 0; i < 72; ++i) norm += std::abs(before.as<float>()[72 * f + i]);
    norms.emplace_back(-norm, f);
  }
  std::sort(norms.begin(), norms.end());
  std::vector<std::size_t> largest;
  for (std::size_t i = 0; i < 8; ++i) largest.push_back(norms[i].second);
  std::sort(largest.begin(), largest.end());
  std::vector<float> want;
  for (const std::size_t f : largest)
    want.insert(want.end(), before.as<float>().begin() + static_cast<std::ptrdiff_t>(72 * f),
                before.as<float>().begin() + static_cast<std::ptrdiff_t>(72 * f + 72));
  EXPECT_TRUE(std::equal(want.begin(), want.end(), after.as<float>().begin()));
}

TEST_F(ModelSpaceOfFiles, NarrowsAWholeNetworkByOneShare) {
  const ModelSpace space =
      loaded({{"onnx", "resnet-cifar10/resnet20.onnx"}, {"widths", {1, 0.5, 0.25}}});
  EXPECT_THAT(names_of(space), ElementsAre("width"));
  const auto filters = [&](int choice) {
    std::vector<std::int64_t> counts;
    const ir::Graph graph = space.network({choice}, Random(1));
    for (const ir::Node& node : graph.nodes()) {
      if (node.as<ir::Conv>()) counts.push_back(graph.constant(node.inputs[1])->shape[0]);
    }
    return counts;
  };
  std::vector<std::int64_t> want = filters(0);
  for (std::int64_t& count : want) count /= 2;
  EXPECT_EQ(filters(1), want);
  for (std::int64_t& count : want) count /= 2;
  EXPECT_EQ(filters(2), want);
}

TEST(ModelSpace, NarrowsWhatItAdds) {
  const SmallNet net;
  const ModelSpace space = net.space(everything());
  const ir::Graph graph = space.network(point_with(space, {{"width:last", "0.5"},
                                                           {"operator:last", "1x1+dw3x3+1x1"},
                                                           {"operator:a.conv1", "1x1"}}),
                                        Random(1));
  const auto shape_of = [&](const std::string& name) {
    return graph.constant(graph.find(name))->shape;
  };
  EXPECT_EQ(shape_of("last.1.1x1.weight"), (ir::Extents{4, 8, 1, 1}));
  EXPECT_EQ(shape_of("last.2.dw3x3.weight"), (ir::Extents{4, 1, 3, 3}));
  EXPECT_EQ(shape_of("last.3.1x1.weight"), (ir::Extents{4, 4, 1, 1}));
  EXPECT_EQ(shape_of("a.conv1.1.1x1.weight"), (ir::Extents{12, 8, 1, 1}));
}

TEST_F(ModelSpaceOfFiles, ReplacesActivationsButNoGates) {
  json config = {{"onnx", "yolox-nano/yolox_nano.onnx"}, {"activations", {"keep", "relu6"}}};
  const ModelSpace space = loaded(config);
  const auto count = [&](int choice, const std::string& op) {
    const ir::Graph graph = space.network({choice}, std::nullopt);
    return std::count_if(graph.nodes().begin(), graph.nodes().end(),
                         [&](const ir::Node& node) { return ir::op_name(node.op) == op; });
  };
  const auto activations = count(0, "Silu");
  EXPECT_GT(activations, 50);
  EXPECT_EQ(count(1, "Silu"), 0);
  EXPECT_EQ(count(1, "Clip"), activations);
  // Those of the scores, which the output shows.
  EXPECT_GT(count(0, "Sigmoid"), 0);
  EXPECT_EQ(count(1, "Sigmoid"), count(0, "Sigmoid"));
}

TEST_F(ModelSpaceOfFiles, TakesOtherResolutions) {
  const ModelSpace space =
      loaded({{"onnx", "resnet-cifar10/resnet20.onnx"}, {"resolutions", {32, 24, 48}}});
  EXPECT_THAT(names_of(space), ElementsAre("resolution"));
  const ir::Graph model = as_trained(models() / "resnet-cifar10/resnet20.onnx");
  for (const int choice : {0, 1, 2}) {
    const std::int64_t size = space.resolutions[static_cast<std::size_t>(choice)];
    const ir::Graph graph = space.network({choice}, std::nullopt);
    EXPECT_EQ(*graph.value(graph.inputs()[0]).type.shape, (ir::Shape{"N", 3, size, size}));
    // Its average pooling has a window of 8x8, which is all that 32x32 images leave.
    EXPECT_NE(model.find_node("/AveragePool")->as<ir::AveragePool>(), nullptr);
    EXPECT_NE(graph.find_node("/AveragePool")->as<ir::GlobalAveragePool>(), nullptr);
  }
}

TEST(ModelSpace, GivesANetworkOfTheZooTheResolutionToo) {
  const ModelSpace space = loaded({{"zoo", "resnet20"}, {"resolutions", {24}}});
  EXPECT_EQ(space.space().size(), 1);
  const ir::Graph graph = space.network({}, Random(1));
  EXPECT_EQ(*graph.value(graph.inputs()[0]).type.shape, (ir::Shape{"N", 3, 24, 24}));
}

TEST(ModelSpace, LabelsWhatWasChosen) {
  const SmallNet net;
  const ModelSpace space = net.space(everything());
  const LabelledGraph graph = space.labelled(point_with(space, {{"block1", "skip"},
                                                                {"width:b.conv1", "0.5"},
                                                                {"operator:b.conv2", "1x1"},
                                                                {"operator:last", "skip"}}));
  EXPECT_THAT(graph.labels, ElementsAre("input keep", "keep 3x3 8 /1 x1", "skip", "skip", "skip",
                                        "keep 3x3 12 /1 x0.5", "1x1 3x3 8 /1 x1", "Add", "skip",
                                        "GlobalAveragePool", "Gemm", "output"));
  EXPECT_EQ(graph.edges.size(), 13U);
}

TEST(ModelSpace, GivesASizeToAModelThatHasNone) {
  const OtherInput model({"N", 3, "H", "W"});
  EXPECT_EQ(model.message({{"widths", {1, 0.5}}}),
            "F/n.onnx: input \"input\" is [N, 3, H, W]: expected \"resolutions\" that give it a "
            "size");
  json config = everything();
  config["resolutions"] = {8, 12};
  const ModelSpace space = model.space(config);
  test::expect_networks(space, 10, {"N", 5});
  EXPECT_EQ(outputs_of(space.network(point_with(space, {{"block1", "skip"}}), Random(1))),
            outputs_of(small_net({.first_block = false})));
}

}  // namespace
}  // namespace xgen::search
