#include "search/spaces/resnet.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "core/ir/print.h"
#include "tests/search/spaces/samples.h"
#include "tests/support/message.h"
#include "train/zoo/zoo.h"

namespace xgen::search {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;

json example() {
  return json::parse(R"({"stages": [
    {"widths": [16, 24], "depths": [3, 1, 2]},
    {"widths": [32, 40], "depths": [3, 1], "stride": 2},
    {"widths": [64], "depths": [3, 1], "stride": 2}]})");
}

std::string message_with(const std::string& pointer, const json& value) {
  json config = example();
  config[json::json_pointer(pointer)] = value;
  return test::message_of([&] { read_config<ResnetSpace>(config, "s.json"); });
}

TEST(ResnetSpace, BuildsNetworksThatCompile) {
  auto space = read_config<ResnetSpace>(example(), "s.json");
  test::expect_networks(space, 50, {"N", 10});
  space.shortcut = "projection";
  space.stem = {20, 5, 2};
  test::expect_networks(space, 10, {"N", 10});
}

TEST(ResnetSpace, HasTheZoosResnet20) {
  const auto space = read_config<ResnetSpace>(example(), "s.json");
  ir::Graph ours = space.network({0, 0, 0, 0, 0, 0}, Random(1));
  ours.name = "resnet20";
  EXPECT_EQ(ir::print(ir::infer_shapes(ours)),
            ir::print(ir::infer_shapes(train::make_zoo_model("resnet20", 10, 1))));
}

TEST(ResnetSpace, ProjectsWhereTheShapeChangesAlone) {
  json config = example();
  config["shortcut"] = "projection";
  const auto space = read_config<ResnetSpace>(config, "s.json");
  const ir::Graph graph = space.network({0, 2, 0, 1, 0, 1}, std::nullopt);
  std::vector<std::string> projections;
  for (const ir::Node& node : graph.nodes()) {
    if (node.name.find("shortcut.conv") != std::string::npos) projections.push_back(node.name);
  }
  EXPECT_THAT(projections, ElementsAre("layer2.0.shortcut.conv", "layer3.0.shortcut.conv"));
  EXPECT_THAT(
      space.labelled({0, 2, 0, 1, 0, 1}).labels,
      ElementsAre("input", "block 16 /1", "block 16 /1", "block 32 /2", "block 64 /2", "output"));
}

TEST(ResnetSpace, RefusesStagesThatHaveNoNetwork) {
  EXPECT_EQ(message_with("/stages", json::array()), "s.json: /stages: expected at least one stage");
  EXPECT_EQ(message_with("/stages/2/widths", {64, 64}),
            "s.json: /stages/2/widths: 64 stands there twice");
  EXPECT_EQ(message_with("/stages/1/depths", json::array()),
            "s.json: /stages/1/depths: expected at least one choice");
  EXPECT_EQ(message_with("/stem/kernel", 4), "s.json: /stem/kernel: expected an odd number, got 4");
  EXPECT_EQ(message_with("/stages/1/widths", {20, 32}),
            "s.json: /stages: expected widths of at least 24, as wide as what stage 2 may read, "
            "got 20: shortcuts of zeros only widen; \"projection\" does both");
}

}  // namespace
}  // namespace xgen::search
