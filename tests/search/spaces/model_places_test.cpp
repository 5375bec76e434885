#include "search/spaces/model_places.h"

#include <gmock/gmock.h>

#include "core/ir/infer_shapes.h"
#include "train/zoo/net_builder.h"

namespace xgen::search {
namespace {

using ::testing::ElementsAre;
using ::testing::UnorderedElementsAre;

std::vector<std::string> adds_of(const std::vector<BranchPlace>& places) {
  std::vector<std::string> adds;
  adds.reserve(places.size());
  for (const BranchPlace& place : places) adds.push_back(place.add);
  return adds;
}

TEST(OperatorLayers, AreReadFromTheirNames) {
  EXPECT_TRUE(operator_layers("skip").value().empty());
  const std::vector<OperatorLayer> layers = operator_layers("1x1+dw5x5+1x1").value();
  ASSERT_EQ(layers.size(), 3U);
  EXPECT_TRUE(!layers[0].depthwise && layers[0].kernel == 1);
  EXPECT_TRUE(layers[1].depthwise && layers[1].kernel == 5);
  for (const char* name : {"", "keep", "3x5", "2x2", "3x3+", "+1x1", "dw", "3x3 +1x1"})
    EXPECT_FALSE(operator_layers(name).has_value()) << name;
}

TEST(BranchPlaces, ReadWhatTheyAreAddedToAndNothingElse) {
  train::NetBuilder net("n", 4, 8, 8, Random(1));
  net.conv("stem", 4, {});
  const ir::ValueId x = net.current();
  net.conv("one", 4, {}).relu("one.relu").add("good", x);
  // The other order: the shortcut is the second input's producer.
  const ir::ValueId good = net.current();
  const ir::ValueId two = net.conv("two", 4, {}).current();
  net.from(good, 4).add("turned", two);
  // Nothing is learned in it.
  const ir::ValueId turned = net.current();
  net.relu("relu").add("relu.add", turned);
  // Another value than the shortcut is read.
  const ir::ValueId plain = net.current();
  net.conv("three", 4, {}).add("inner", x).conv("four", 4, {}).add("outer", plain);
  // What is inside is read outside.
  const ir::ValueId outer = net.current();
  const ir::ValueId inside = net.conv("five", 4, {}).current();
  net.relu("five.relu").add("leaks", outer).add("reader", inside);
  // The shape changes.
  const ir::ValueId reader = net.current();
  net.conv("six", 8, {});
  const ir::ValueId wide = net.current();
  net.from(reader, 4).conv("seven", 8, {.kernel = 1}).add("projected", wide);
  const ir::Graph graph = ir::infer_shapes(net.average_pool_to_features("pool").finish(2));
  const std::vector<BranchPlace> places = branch_places(graph);
  EXPECT_THAT(adds_of(places), ElementsAre("good", "turned"));
  EXPECT_THAT(places[0].nodes, UnorderedElementsAre("one", "one.relu"));
  EXPECT_EQ(places[0].shortcut, 1U);
  EXPECT_EQ(places[1].shortcut, 0U);
}

TEST(ConvolutionPlaces, AreDenseAndHaveTheirBatchNorm) {
  train::NetBuilder net("n", 4, 8, 8, Random(1));
  net.conv("a", 8, {}).batch_norm("a.bn").relu("a.relu");
  net.conv("depthwise", 8, {.groups = 8}).conv("b", 8, {});
  const ir::ValueId b = net.current();
  net.batch_norm("b.bn").add("add", b);
  const ir::Graph graph = ir::infer_shapes(net.average_pool_to_features("pool").finish(2));
  std::vector<std::string> found;
  for (const ConvolutionPlace& place : convolution_places(graph))
    found.push_back(place.convolution + " " + place.batch_norm);
  // That of "b" has not the only reader.
  EXPECT_THAT(found, ElementsAre("a a.bn", "b "));
}

TEST(Fits, SkipsOnlyWhatKeepsTheShape) {
  train::NetBuilder net("n", 4, 1, 1, Random(1));
  net.conv("strided", 4, {.stride = 2}).conv("wider", 8, {}).conv("same", 8, {});
  const ir::Graph graph = ir::infer_shapes(net.average_pool_to_features("pool").finish(2));
  EXPECT_FALSE(fits(graph, {"strided", ""}, "skip"));
  EXPECT_FALSE(fits(graph, {"wider", ""}, "skip"));
  EXPECT_TRUE(fits(graph, {"same", ""}, "skip"));
  EXPECT_FALSE(fits(graph, {"wider", ""}, "dw3x3"));
  EXPECT_TRUE(fits(graph, {"same", ""}, "dw3x3"));
}

}  // namespace
}  // namespace xgen::search
