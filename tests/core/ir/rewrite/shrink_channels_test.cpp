#include "core/ir/rewrite/shrink_channels.h"

#include <gmock/gmock.h>

#include <cmath>
#include <functional>

#include "core/ir/infer_shapes.h"
#include "core/ir/verify.h"
#include "core/reference/evaluate.h"
#include "tests/support/channels.h"
#include "tests/support/message.h"

namespace xgen::ir {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// Builds small networks on an input [N, 3, 6, 6], with random weights.
class Net {
 public:
  Net() : random_(3) { x = graph.add_input("x", {DType::f32, Shape{"N", 3, 6, 6}, {}}); }

  ValueId conv(const std::string& name, ValueId from, std::int64_t c_in, std::int64_t c_out,
               std::int64_t kernel = 1, std::int64_t groups = 1) {
    Conv op;
    op.groups = groups;
    op.pads = {kernel / 2, kernel / 2, kernel / 2, kernel / 2};
    return graph.add_node(name, op,
                          {from, weight(name + ".w", {c_out, c_in / groups, kernel, kernel}),
                           weight(name + ".b", {c_out})});
  }
  ValueId relu(const std::string& name, ValueId from) {
    return graph.add_node(name, Unary{Unary::Kind::relu}, {from});
  }
  ValueId batch_norm(const std::string& name, ValueId from, std::int64_t c) {
    return graph.add_node(name, BatchNorm{},
                          {from, weight(name + ".scale", {c}), weight(name + ".shift", {c}),
                           weight(name + ".mean", {c}),
                           graph.add_constant(name + ".var", random_.f32({c}, 0.5F, 2))});
  }
  ValueId binary(const std::string& name, Binary::Kind kind, ValueId a, ValueId b) {
    return graph.add_node(name, Binary{kind}, {a, b});
  }
  ValueId integers(const std::vector<std::int64_t>& values) {
    return graph.add_constant(
        "i", Constant::of<std::int64_t>({static_cast<std::int64_t>(values.size())}, values));
  }
  ValueId weight(const std::string& name, Extents shape) {
    return graph.add_constant(name, random_.f32(std::move(shape), -0.5F, 0.5F));
  }
  ValueId slice(const std::string& name, ValueId from, std::int64_t start, std::int64_t end) {
    return graph.add_node(name, Slice{}, {from, integers({start}), integers({end}), integers({1})});
  }
  ValueId reshape(const std::string& name, ValueId from, const std::vector<std::int64_t>& shape) {
    return graph.add_node(name, Reshape{}, {from, integers(shape)});
  }
  /// Global average and a fully connected layer, the output of the model.
  Graph classify(ValueId from, std::int64_t c) {
    const ValueId mean = graph.add_node("gap", GlobalAveragePool{}, {from});
    return dense(graph.add_node("flat", Flatten{}, {mean}), c);
  }
  Graph dense(ValueId features, std::int64_t c) {
    return finish(
        graph.add_node("fc", Gemm{}, {features, weight("fc.w", {c, 4}), weight("fc.b", {4})}));
  }
  Graph finish(ValueId y) {
    graph.set_outputs({y});
    return infer_shapes(graph);
  }

  Graph graph;
  ValueId x;

 private:
  test::RandomTensors random_;
};

std::vector<std::string> producers(const Graph& graph) {
  std::vector<std::string> all;
  for (const ChannelGroup& group : channel_groups(graph)) {
    std::string line;
    for (const std::string& name : group.producers) line += (line.empty() ? "" : "+") + name;
    int pinned = 0;
    for (const ChannelUnit& unit : group.units) pinned += unit.pinned.empty() ? 0 : 1;
    all.push_back(str(line, " ", group.units.size(), pinned > 0 ? str(" pinned ", pinned) : ""));
  }
  return all;
}

/// Random channels go; what is left must compute what the network with zeros computes.
void expect_shrinks(const Graph& graph, unsigned seeds = 4) {
  const std::vector<ChannelGroup> groups = channel_groups(graph);
  for (unsigned seed = 1; seed <= seeds; ++seed) {
    SCOPED_TRACE(seed);
    test::RandomTensors random(seed);
    const std::vector<ChannelUnit> units = test::random_units(groups, 0.5, random);
    ASSERT_FALSE(units.empty());
    const Graph small = shrink_channels(graph, units);
    verify(small, "shrink_channels");
    EXPECT_EQ(small.outputs().size(), graph.outputs().size());
    const Constant x = random.f32({2, 3, 6, 6});
    const auto want = reference::evaluate(test::zeroed(graph, units), {x});
    const auto got = reference::evaluate(small, {x});
    for (std::size_t i = 0; i < want.size(); ++i) {
      ASSERT_EQ(got[i].shape, want[i].shape);
      for (std::size_t e = 0; e < want[i].as<float>().size(); ++e)
        ASSERT_NEAR(got[i].as<float>()[e], want[i].as<float>()[e], 1e-5) << e;
    }
  }
}

TEST(ShrinkChannels, FollowsAChainThroughBatchNormPoolAndFlatten) {
  Net net;
  const ValueId a = net.relu("r", net.batch_norm("bn", net.conv("a", net.x, 3, 8, 3), 8));
  MaxPool pool;
  pool.kernel = pool.strides = {2, 2};
  const ValueId flat =
      net.graph.add_node("flat", Flatten{}, {net.graph.add_node("pool", pool, {a})});
  const Graph graph = net.dense(flat, 8 * 9);
  EXPECT_THAT(producers(graph), ElementsAre("a 8", "fc 4 pinned 4"));
  expect_shrinks(graph);
  // A filter takes its bias, four entries of the batch norm and nine columns with it.
  const ChannelUnit unit = channel_groups(graph)[0].units[2];
  EXPECT_EQ(unit.filters.size(), 1U);
  EXPECT_EQ(unit.others.size(), 1U + 4 + 9);
}

TEST(ShrinkChannels, KeepsResidualBranchesTogether) {
  Net net;
  const ValueId a = net.conv("a", net.x, 3, 8);
  const ValueId b = net.conv("b", net.relu("ra", a), 8, 6, 3);
  const ValueId c = net.conv("c", net.relu("rb", b), 6, 8, 3);
  const Graph graph = net.classify(net.binary("add", Binary::Kind::add, c, a), 8);
  EXPECT_THAT(producers(graph), ElementsAre("a+c 8", "b 6", "fc 4 pinned 4"));
  expect_shrinks(graph);
}

TEST(ShrinkChannels, FollowsConcatAndSlices) {
  Net net;
  const ValueId a = net.conv("a", net.x, 3, 8), b = net.conv("b", net.x, 3, 5);
  const ValueId joined = net.graph.add_node("cat", Concat{1}, {a, net.x, b});
  const ValueId left = net.slice("left", joined, 0, 10), right = net.slice("right", joined, 10, 16);
  const ValueId c = net.conv("c", left, 10, 6), d = net.conv("d", right, 6, 6);
  const Graph graph = net.classify(net.binary("mul", Binary::Kind::mul, c, d), 6);
  EXPECT_THAT(producers(graph), ElementsAre("a 8", "b 5", "c+d 6", "fc 4 pinned 4"));
  expect_shrinks(graph);
}

TEST(ShrinkChannels, DepthwiseFollowsItsInputAndMultipliesIt) {
  Net net;
  const ValueId a = net.conv("a", net.x, 3, 8);
  const ValueId depthwise = net.conv("dw", a, 8, 8, 3, 8);
  const ValueId twice = net.conv("dw2", depthwise, 8, 16, 3, 8);
  const Graph graph = net.classify(net.conv("b", twice, 16, 6), 6);
  EXPECT_THAT(producers(graph), ElementsAre("a+dw+dw2 8", "b 6", "fc 4 pinned 4"));
  expect_shrinks(graph);
}

TEST(ShrinkChannels, GroupedConvolutionKeepsItsGroupsEqual) {
  Net net;
  const ValueId a = net.conv("a", net.x, 3, 12);
  const ValueId grouped = net.conv("g", a, 12, 18, 3, 3);
  const Graph graph = net.classify(grouped, 18);
  // Of three groups the first channels go together, and so on.
  EXPECT_THAT(producers(graph), ElementsAre("a 4", "g 6", "fc 4 pinned 4"));
  expect_shrinks(graph);
}

TEST(ShrinkChannels, FollowsSqueezeAndExcite) {
  Net net;
  const ValueId a = net.conv("a", net.x, 3, 8);
  const ValueId squeezed = net.graph.add_node("squeeze", GlobalAveragePool{}, {a});
  const ValueId hidden = net.relu("r", net.conv("down", squeezed, 8, 4));
  const ValueId gate =
      net.graph.add_node("gate", Unary{Unary::Kind::sigmoid}, {net.conv("up", hidden, 4, 8)});
  const Graph graph = net.classify(net.binary("excite", Binary::Kind::mul, a, gate), 8);
  EXPECT_THAT(producers(graph), ElementsAre("a+up 8", "down 4", "fc 4 pinned 4"));
  expect_shrinks(graph);
}

TEST(ShrinkChannels, FollowsAChannelShuffle) {
  Net net;
  const ValueId a = net.conv("a", net.x, 3, 12);
  const ValueId split = net.reshape("split", a, {0, 2, 6, 6, 6});
  const ValueId swapped = net.graph.add_node("swap", Transpose{{0, 2, 1, 3, 4}}, {split});
  const ValueId merged = net.reshape("merge", swapped, {0, 12, 6, 6});
  const ValueId half = net.slice("half", merged, 0, 6);
  const Graph graph = net.classify(net.conv("b", half, 6, 6), 6);
  EXPECT_THAT(producers(graph), ElementsAre("a 6", "b 6", "fc 4 pinned 4"));
  expect_shrinks(graph);
}

TEST(ShrinkChannels, FollowsShortcutsThatPadChannels) {
  Net net;
  const ValueId a = net.conv("a", net.x, 3, 6);
  const ValueId wide =
      net.graph.add_node("pad", Pad{}, {a, net.integers({0, 3, 0, 0, 0, 3, 0, 0})});
  const ValueId b = net.conv("b", a, 6, 12, 3);
  const Graph graph = net.classify(net.binary("add", Binary::Kind::add, b, wide), 12);
  EXPECT_THAT(producers(graph), ElementsAre("a+b 12", "fc 4 pinned 4"));
  expect_shrinks(graph);
}

TEST(ShrinkChannels, FollowsGatherAndConstantsOfChannels) {
  Net net;
  const ValueId a = net.conv("a", net.x, 3, 6);
  const ValueId scaled = net.binary("scale", Binary::Kind::mul, a, net.weight("s", {6, 1, 1}));
  const ValueId order =
      net.graph.add_node("order", Gather{1}, {scaled, net.integers({5, 0, -2, 0})});
  const Graph graph = net.classify(order, 4);
  expect_shrinks(graph);
}

TEST(ShrinkChannels, SharesAConstantBetweenReaders) {
  Net net;
  const ValueId w = net.weight("w", {8, 3, 1, 1});
  const ValueId a = net.graph.add_node("a", Conv{}, {net.x, w}),
                b = net.graph.add_node("b", Conv{}, {net.x, w});
  const ValueId c = net.conv("c", a, 8, 5), d = net.conv("d", net.relu("r", b), 8, 5);
  const Graph graph = net.classify(net.binary("add", Binary::Kind::add, c, d), 5);
  EXPECT_THAT(producers(graph), ElementsAre("a+b 8", "c+d 5", "fc 4 pinned 4"));
  expect_shrinks(graph);
}

TEST(ShrinkChannels, UnflattensFeaturesIntoChannels) {
  Net net;
  const ValueId mean =
      net.graph.add_node("squeeze", GlobalAveragePool{}, {net.conv("a", net.x, 3, 6)});
  const ValueId features = net.graph.add_node(
      "wide", Gemm{},
      {net.graph.add_node("row", Flatten{}, {mean}), net.weight("wide.w", {6, 8 * 9})});
  const ValueId image = net.reshape("image", features, {0, 8, 3, 3});
  const Graph graph = net.classify(net.conv("b", image, 8, 6), 6);
  EXPECT_THAT(producers(graph), ElementsAre("a 6", "wide 8", "b 6", "fc 4 pinned 4"));
  expect_shrinks(graph);
}

std::string pinned(const Graph& graph, std::size_t group = 0) {
  return channel_groups(graph).at(group).units.at(0).pinned;
}

TEST(ShrinkChannels, SaysWhatForbidsIt) {
  {
    Net net;
    const ValueId a = net.conv("a", net.x, 3, 8);
    EXPECT_EQ(pinned(net.finish(a)), "\"a\" is an output of the model");
  }
  {
    Net net;
    const ValueId a = net.conv("a", net.x, 3, 8);
    const ValueId mean = net.graph.add_node("mean", Reduce{}, {a, net.integers({1})});
    EXPECT_EQ(pinned(net.finish(mean)), "node \"mean\" (ReduceMean) reduces over these channels");
  }
  {
    Net net;
    const ValueId a = net.conv("a", net.x, 3, 8);
    const ValueId soft = net.graph.add_node("soft", Softmax{1}, {a});
    EXPECT_EQ(pinned(net.classify(soft, 8)),
              "node \"soft\" (Softmax) normalises over these channels");
  }
  {
    Net net;
    const ValueId a = net.conv("a", net.x, 3, 3);
    EXPECT_EQ(pinned(net.classify(net.binary("add", Binary::Kind::add, a, net.x), 3)),
              "node \"add\" (Add) reads channels that are fixed");
  }
  {
    Net net;
    const ValueId a = net.conv("a", net.x, 3, 8);
    const ValueId odd = net.graph.add_node(
        "odd", Slice{},
        {a, net.integers({0}), net.integers({8}), net.integers({1}), net.integers({2})});
    EXPECT_EQ(pinned(net.classify(odd, 4)), "node \"odd\" (Slice) takes channels in steps");
  }
  {
    Net net;
    const ValueId a = net.conv("a", net.x, 3, 8);
    const ValueId rows = net.graph.add_node("rows", Transpose{{0, 2, 1, 3}}, {a});
    EXPECT_EQ(pinned(net.classify(net.conv("b", rows, 6, 4, 3), 4)),
              "node \"b\" (Conv) convolves along this axis");
  }
}

TEST(ShrinkChannels, RefusesToLeaveNothing) {
  Net net;
  const Graph graph = net.classify(net.conv("a", net.x, 3, 4), 4);
  EXPECT_EQ(test::message_of([&] { shrink_channels(graph, channel_groups(graph)[0].units); }),
            "node \"a\" (Conv): no channel is left");
}

TEST(ShrinkChannels, RefusesMaskedWeights) {
  Net net;
  Graph graph = net.classify(net.conv("a", net.x, 3, 4), 4);
  graph.value(graph.find("a.w")).sparsity = Sparsity{};
  EXPECT_EQ(test::message_of([&] { shrink_channels(graph, {channel_groups(graph)[0].units[0]}); }),
            "weight \"a.w\" has a mask; channels are removed before other schemes prune");
}

}  // namespace
}  // namespace xgen::ir
