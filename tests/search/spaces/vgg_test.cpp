#include "search/spaces/vgg.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "tests/search/spaces/samples.h"
#include "tests/support/message.h"

namespace xgen::search {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;

json example() {
  return json::parse(R"({"image_channels": 1, "image_size": 28, "head": "flatten", "hidden": 24,
    "stages": [{"widths": [8, 16], "depths": [1, 2]}, {"widths": [16, 20, 32], "depths": [1, 3]}]})");
}

std::string message_with(const std::string& pointer, const json& value) {
  json config = example();
  config[json::json_pointer(pointer)] = value;
  return test::message_of([&] { read_config<VggSpace>(config, "s.json"); });
}

TEST(VggSpace, BuildsNetworksThatCompile) {
  auto space = read_config<VggSpace>(example(), "s.json");
  EXPECT_EQ(space.space().size(), 2 * 2 * 3 * 2);
  test::expect_networks(space, 50, {"N", 10});
  space.head = "average_pool";
  space.hidden = 0;
  test::expect_networks(space, 10, {"N", 10});
}

TEST(VggSpace, HasThePointsWidthsAndDepths) {
  const auto space = read_config<VggSpace>(example(), "s.json");
  const ir::Graph graph = ir::infer_shapes(space.network({1, 1, 1, 0}, Random(1)));
  // 16 16 pool 20 pool, 7 x 7 positions flattened, 24 hidden features, 10 classes.
  constexpr std::int64_t kTaps = 9, kPositions = 49;
  const std::int64_t convolutions = kTaps * (1 * 16 + 16 * 16 + 16 * 20);
  const std::int64_t norms = std::int64_t{2} * (16 + 16 + 20);
  EXPECT_EQ(ir::size_of_graph(graph).parameters,
            convolutions + norms + (20 * kPositions + 1) * 24 + std::int64_t{24 + 1} * 10);
  EXPECT_THAT(space.labelled({1, 1, 1, 0}).labels,
              ElementsAre("input", "conv 16", "conv 16", "pool", "conv 20", "pool", "output"));
  EXPECT_EQ(space.space().parameters[2].name, "stage2.width");
  EXPECT_THAT(space.space().parameters[2].choices, ElementsAre("16", "20", "32"));
}

TEST(VggSpace, RefusesStagesThatHaveNoNetwork) {
  EXPECT_EQ(message_with("/stages", json::array()), "s.json: /stages: expected at least one stage");
  EXPECT_EQ(message_with("/image_size", 3),
            "s.json: /stages: expected at most 1, each of which halves images of 3x3, got 2");
  EXPECT_EQ(message_with("/stages/1/widths", json::array()),
            "s.json: /stages/1/widths: expected at least one choice");
  EXPECT_EQ(message_with("/stages/0/depths", {2, 2}),
            "s.json: /stages/0/depths: 2 stands there twice");
  EXPECT_EQ(message_with("/head", "flaten"),
            "s.json: /head: expected one of \"average_pool\", \"flatten\", got \"flaten\"; did you "
            "mean \"flatten\"?");
}

}  // namespace
}  // namespace xgen::search
