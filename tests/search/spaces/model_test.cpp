#include "search/spaces/model.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "core/ir/print.h"
#include "core/ir/rewrite/fold_constants.h"
#include "core/ir/rewrite/rebatch.h"
#include "core/ir/rewrite/simplify.h"
#include "core/onnx/export.h"
#include "core/onnx/import.h"
#include "core/reference/evaluate.h"
#include "tests/search/spaces/samples.h"
#include "tests/support/message.h"
#include "tests/support/random_graph.h"
#include "tests/support/temporary_folder.h"
#include "train/zoo/net_builder.h"
#include "train/zoo/zoo.h"

namespace xgen::search {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::filesystem::path& models() {
  static const auto folder = std::filesystem::path(XGEN_SOURCE_DIR) / "../shared/models";
  return folder;
}

/// Networks of other people.
class ModelSpaceOfFiles : public testing::Test {
  void SetUp() override {
    if (!std::filesystem::exists(models()))
      GTEST_SKIP() << "no folder of models beside the project";
  }
};

ModelSpace loaded(const json& config, const std::filesystem::path& folder = models()) {
  auto space = read_config<ModelSpace>(config, "s.json");
  space.resolve(folder);
  return space;
}

std::string message_of(const json& config, const std::filesystem::path& folder = models()) {
  return test::message_of([&] { loaded(config, folder); }, folder.string());
}

/// The point which takes these choices, by names of parameters, and first choices else.
Point point_with(const ModelSpace& space, const std::map<std::string, std::string>& choices) {
  Point point;
  std::size_t found = 0;
  for (const Parameter& parameter : space.space().parameters) {
    point.push_back(0);
    const auto wanted = choices.find(parameter.name);
    if (wanted == choices.end()) continue;
    ++found;
    const auto at = std::find(parameter.choices.begin(), parameter.choices.end(), wanted->second);
    XGEN_CHECK(at != parameter.choices.end(), wanted->second);
    point.back() = static_cast<int>(at - parameter.choices.begin());
  }
  XGEN_CHECK(found == choices.size(), "a parameter is missing");
  return point;
}

std::vector<std::string> names_of(const ModelSpace& space) {
  std::vector<std::string> names;
  for (const Parameter& parameter : space.space().parameters) names.push_back(parameter.name);
  return names;
}

/// A chain of two residual blocks and a convolution, for 8x8 images; some parts are left out.
struct Parts {
  bool first_block = true, second_block = true, last = true;
};
ir::Graph small_net(const Parts& parts = {}) {
  train::NetBuilder net("small", 3, 8, 8, Random(5));
  net.conv_bn_relu("1", 8, {});
  const auto add_block = [&](const std::string& name) {
    const ir::ValueId x = net.current();
    net.conv(name + ".conv1", 12, {}).batch_norm(name + ".bn1").relu(name + ".relu");
    net.conv(name + ".conv2", 8, {}).batch_norm(name + ".bn2").add(name + ".add", x);
  };
  if (parts.first_block) add_block("a");
  if (parts.second_block) add_block("b");
  if (parts.last) net.conv("last", 8, {.bias = true});
  net.relu("last.relu");
  return ir::infer_shapes(net.average_pool_to_features("pool").finish(5));
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

std::vector<float> outputs_of(const ir::Graph& graph) {
  test::RandomTensors random(2);
  const ir::Constant y = reference::evaluate(graph, {random.f32({2, 3, 8, 8})}).at(0);
  const auto values = y.as<float>();
  return {values.begin(), values.end()};
}

void expect_equal(const ir::Graph& got, const ir::Graph& want) {
  EXPECT_EQ(ir::print(got), ir::print(want));
  for (const ir::Value& value : want.values()) {
    if (value.constant == nullptr) continue;
    const ir::ValueId id = got.find(value.name);
    ASSERT_NE(id, ir::kNoValue) << value.name;
    EXPECT_TRUE(got.constant(id)->bytes == value.constant->bytes) << value.name;
  }
}

json everything() {
  return {{"operators", {"keep", "1x1", "3x3", "dw3x3+1x1", "1x1+dw3x3+1x1", "skip"}},
          {"widths", {1, 0.75, 0.5}},
          {"width_per", "group"},
          {"blocks", {"keep", "skip"}}};
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

TEST(ModelSpace, RefusesConfigsThatSayNothingClear) {
  EXPECT_EQ(message_of(json::object()), "s.json: /: expected exactly one of \"onnx\", \"zoo\"");
  EXPECT_EQ(message_of({{"onnx", "a.onnx"}, {"classes", 10}}),
            "s.json: /classes: expected none: an ONNX file has its own");
  EXPECT_EQ(message_of({{"zoo", "resnet20"}, {"operators", {"keep", "dw3x3-1x1"}}}),
            "s.json: /operators: expected \"keep\", \"skip\" or layers like \"1x1\" or "
            "\"dw3x3+1x1\" (kernels of 1, 3, 5 or 7), got \"dw3x3-1x1\"");
  EXPECT_EQ(message_of({{"zoo", "resnet20"}, {"operators", {"1x3"}}}).substr(0, 26),
            "s.json: /operators: expect");
  EXPECT_EQ(message_of({{"zoo", "resnet20"}, {"blocks", {"skp"}}}),
            "s.json: /blocks: expected one of \"keep\", \"skip\", got \"skp\"; did you mean "
            "\"skip\"?");
  EXPECT_EQ(message_of({{"zoo", "resnet20"}, {"activations", {"relu7"}}}),
            "s.json: /activations: expected one of \"keep\", \"relu\", \"relu6\", \"hard_swish\", "
            "got \"relu7\"; did you mean \"relu\"?");
  EXPECT_EQ(message_of({{"zoo", "resnet20"}, {"widths", {1, 0.5, 1}}}),
            "s.json: /widths: \"1\" stands there twice");
  EXPECT_EQ(message_of({{"zoo", "resnet20"}, {"widths", {0}}}),
            "s.json: /widths/0: expected a number in [0.01, 1], got 0");
}

/// Of small_net() with another input.
class OtherInput {
 public:
  explicit OtherInput(const ir::Shape& shape) {
    ir::Graph graph = small_net();
    graph.value(graph.inputs()[0]).type.shape = shape;
    export_onnx(ir::infer_shapes(graph), folder_ / "n.onnx");
  }
  [[nodiscard]] std::string message(json config) const {
    config["onnx"] = "n.onnx";
    return message_of(config, folder_.path());
  }
  [[nodiscard]] ModelSpace space(json config) const {
    config["onnx"] = "n.onnx";
    return loaded(config, folder_.path());
  }

 private:
  test::TemporaryFolder folder_;
};

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

TEST(ModelSpace, RefusesAModelWhoseBatchIsFixedOrThatIsPruned) {
  EXPECT_EQ(OtherInput({2, 3, 8, 8}).message(json::object()).substr(0, 52),
            "F/n.onnx: cannot be trained: its batch is fixed: inp");
  ir::Graph graph = small_net();
  const Sparsity mask{
      Sparsity::Scheme::block, 8, 1, {{Pattern{0b111'111'111}}}, {0, 0, Sparsity::kNone}};
  const ir::ValueId weight = graph.find("conv1.weight");
  ir::Constant pruned = *graph.constant(weight);
  for (std::size_t i = 0; i < std::size_t{8} * 27; ++i) {
    if (i % 27 >= 18) pruned.as_mutable<float>()[i] = 0;
  }
  graph.set_constant(weight, std::move(pruned));
  graph.value(weight).sparsity = mask;
  const test::TemporaryFolder folder;
  export_onnx(graph, folder / "n.onnx");
  EXPECT_EQ(message_of({{"onnx", "n.onnx"}}, folder.path()),
            "F/n.onnx: weight \"conv1.weight\" has a mask; expected the model as it was before it "
            "was pruned");
}

TEST(ModelSpace, RefusesModelsThatCannotBeChangedSo) {
  EXPECT_THAT(message_of({{"onnx", "none.onnx"}}), HasSubstr("F/none.onnx: "));
  EXPECT_EQ(
      message_of({{"zoo", "resnet20"}, {"activations", {"keep", "relu"}}}),
      "zoo model \"resnet20\": \"activations\": expected a model with SiLU, GELU, hard swish, "
      "tanh or sigmoid, got none");
  EXPECT_EQ(message_of({{"zoo", "vgg16_bn"}, {"blocks", {"keep", "skip"}}}),
            "zoo model \"vgg16_bn\": \"blocks\": expected a model with residual blocks that keep "
            "the shape, got none");
  EXPECT_EQ(message_of({{"zoo", "digits_cnn"}, {"widths", {1, 0.5}}, {"exclude", {"*"}}}),
            "zoo model \"digits_cnn\": \"widths\": expected a model with channels that can be "
            "removed, got none");
  EXPECT_EQ(message_of({{"zoo", "digits_cnn"}, {"operators", {"keep", "skip"}}}),
            "zoo model \"digits_cnn\": \"operators\": expected a model with convolutions in whose "
            "place one fits, got none");
  EXPECT_THAT(message_of({{"zoo", "lenet5"}, {"resolutions", {28, 24}}}),
              HasSubstr("zoo model \"lenet5\": \"resolutions\": cannot take images of 24x24: node "
                        "\"fc1\" (Gemm): "));
  train::NetBuilder net("n", 3, 9, 9, Random(1));
  net.conv("c", 4, {});
  ir::Graph dense_output = net.from(net.current(), 4).average_pool_to_features("p").finish(2);
  dense_output.set_outputs({dense_output.find("c")});
  const test::TemporaryFolder folder;
  ir::Graph matrix;
  const ir::ValueId x = matrix.add_input("x", {ir::DType::f32, ir::Shape{"N", 3}, {}});
  matrix.set_outputs({matrix.add_node("y", ir::Unary{}, {x})});
  export_onnx(ir::infer_shapes(matrix), folder / "m.onnx");
  EXPECT_EQ(message_of({{"onnx", "m.onnx"}, {"resolutions", {12}}}, folder.path()),
            "F/m.onnx: \"resolutions\": expected a model with one input [N, channels, height, "
            "width], got \"x\" [N, 3]");
  export_onnx(ir::infer_shapes(dense_output.pruned()), folder / "n.onnx");
  EXPECT_EQ(
      message_of({{"onnx", "n.onnx"}, {"resolutions", {12}}}, folder.path()),
      "F/n.onnx: \"resolutions\": expected a model whose outputs do not depend on the size of "
      "images, got \"c\" [N, 4, 12, 12] for 12x12 instead of \"c\" [N, 4, 9, 9]");
  EXPECT_THAT(message_of({{"zoo", "resnet21"}}), HasSubstr("the zoo has no model \"resnet21\""));
}

}  // namespace
}  // namespace xgen::search
