#include "prune/channels.h"

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <numeric>

#include "core/ir/infer_shapes.h"
#include "tests/support/message.h"
#include "tests/support/random_graph.h"

namespace xgen::prune {
namespace {

// 8 -> a 16 -> b 32 -> c 16, added to a's result; then one more to the output.
class Chain {
 public:
  ir::Graph build() {
    const ir::ValueId x = graph_.add_input("x", {ir::DType::f32, ir::Shape{1, 8, 6, 6}, {}});
    const ir::ValueId a = conv("a", x, 8, 16), b = conv("b", a, 16, 32), c = conv("c", b, 32, 16);
    const ir::ValueId sum = graph_.add_node("sum", ir::Binary{}, {c, a});
    graph_.set_outputs({conv("y", sum, 16, 8)});
    return ir::infer_shapes(std::move(graph_));
  }

 private:
  ir::ValueId conv(const std::string& name, ir::ValueId x, std::int64_t c_in, std::int64_t c_out) {
    const ir::ValueId w = graph_.add_constant(name + ".w", random_.f32({c_out, c_in, 3, 3}));
    ir::Conv op;
    op.pads = {1, 1, 1, 1};
    return graph_.add_node(name, op, {x, w});
  }
  test::RandomTensors random_{1};
  ir::Graph graph_;
};

// The score of filter i of every layer is i.
FilterScores rising(const ir::Graph& graph) {
  FilterScores scores;
  for (const ir::Node& node : graph.nodes()) {
    if (node.as<ir::Conv>() == nullptr) continue;
    const ir::Value& weight = graph.value(node.input(1));
    for (std::int64_t f = 0; f < weight.constant->shape[0]; ++f)
      scores[weight.name].push_back(static_cast<double>(f));
  }
  return scores;
}

PruneConfig config(double divided_by) {
  PruneConfig config;
  config.scheme = "channel";
  config.final_type = "int8";
  config.rates.conv_macs_divided_by = divided_by;
  return config;
}

const ir::Extents& weight_shape(const ir::Graph& graph, const char* name) {
  return graph.constant(graph.find(name))->shape;
}

TEST(ThinChannels, ReachTheRateWithWholeLanesOfTheBestFilters) {
  const ir::Graph graph = Chain().build();
  const ThinnedNetwork thin = thin_channels(graph, rising(graph), config(2));
  EXPECT_GE(thin.conv_macs_divided_by, 2);
  EXPECT_LT(thin.conv_macs_divided_by, 2.3);
  const ir::Extents& b = weight_shape(thin.graph, "b.w");
  EXPECT_EQ(b[0] % 4, 0);
  EXPECT_EQ(b[1] % 4, 0);
  EXPECT_LT(b[0], 32);
  // What is left are the last filters, those that scored most.
  const auto whole = graph.constant(graph.find("b.w"))->as<float>(),
             left = thin.graph.constant(thin.graph.find("b.w"))->as<float>();
  EXPECT_EQ(left.back(), whole.back());
  std::vector<std::int64_t> last(static_cast<std::size_t>(b[0]));
  std::iota(last.begin(), last.end(), 32 - b[0]);
  EXPECT_EQ(thin.filters.at("b.w"), last);
  EXPECT_EQ(thin.filters.count("y.w"), 0U);
  EXPECT_EQ(weight_shape(thin.graph, "y.w")[0], 8);
  ASSERT_EQ(thin.groups.size(), 3U);
  EXPECT_EQ(thin.groups[0].producers, (std::vector<std::string>{"a", "c"}));
  EXPECT_EQ(thin.groups[2].reason, "\"y\" is an output of the model");
}

TEST(ThinChannels, RankTheWholeNetworkByScorePerMultiplyAdd) {
  const ir::Graph graph = Chain().build();
  PruneConfig ranked = config(1.5);
  ranked.ranking = "network";
  FilterScores scores = rising(graph);
  for (double& score : scores["b.w"]) score += 1000;  // not these
  const ThinnedNetwork spared = thin_channels(graph, scores, ranked);
  EXPECT_GE(spared.conv_macs_divided_by, 1.5);
  EXPECT_EQ(weight_shape(spared.graph, "b.w")[0], 32);
  EXPECT_LT(weight_shape(spared.graph, "a.w")[0], 16);
  for (double& score : scores["b.w"]) score *= 1e-6;  // these alone
  const ThinnedNetwork cut = thin_channels(graph, scores, ranked);
  EXPECT_GE(cut.conv_macs_divided_by, 1.5);
  EXPECT_LT(weight_shape(cut.graph, "b.w")[0], 32);
  EXPECT_EQ(weight_shape(cut.graph, "a.w")[0], 16);
}

TEST(ThinChannels, RankedOverTheNetworkEveryLayerKeepsAShare) {
  const ir::Graph graph = Chain().build();
  PruneConfig ranked = config(1.5);
  ranked.ranking = "network";
  FilterScores scores = rising(graph);
  for (double& score : scores["b.w"]) score *= 1e-6;  // these alone, if it may be
  ranked.share_min = 0;
  EXPECT_LT(weight_shape(thin_channels(graph, scores, ranked).graph, "b.w")[0], 24);
  ranked.share_min = 0.75;
  const ThinnedNetwork bounded = thin_channels(graph, scores, ranked);
  EXPECT_GE(bounded.conv_macs_divided_by, 1.5);
  EXPECT_EQ(weight_shape(bounded.graph, "b.w")[0], 24);
  EXPECT_LT(weight_shape(bounded.graph, "a.w")[0], 16);
  ranked.rates.conv_macs_divided_by = 9;
  EXPECT_NE(test::message_of([&] {
              thin_channels(graph, scores, ranked);
            }).find("by removing channels where share_min is 0.75, got 9"),
            std::string::npos);
}

// A shortcut that pads channels (option A): the wider layers have channels of their own.
TEST(ThinChannels, KeepSomeOfEveryLayerOfAResidualSumOfRisingWidth) {
  ir::Graph graph;
  test::RandomTensors random(1);
  const auto conv = [&](const std::string& name, ir::ValueId x, std::int64_t c_in,
                        std::int64_t c_out) {
    ir::Conv op;
    op.pads = {1, 1, 1, 1};
    return graph.add_node(name, op,
                          {x, graph.add_constant(name + ".w", random.f32({c_out, c_in, 3, 3}))});
  };
  const ir::ValueId x = graph.add_input("x", {ir::DType::f32, ir::Shape{1, 8, 6, 6}, {}});
  const ir::ValueId narrow = conv("narrow", x, 8, 16), wide = conv("wide", narrow, 16, 32);
  const ir::ValueId pads =
      graph.add_constant("pads", ir::Constant::of<std::int64_t>({8}, {0, 8, 0, 0, 0, 8, 0, 0}));
  const ir::ValueId padded = graph.add_node("pad", ir::Pad{}, {narrow, pads});
  const ir::ValueId sum = graph.add_node("sum", ir::Binary{}, {wide, padded});
  graph.set_outputs({conv("y", sum, 32, 8)});
  graph = ir::infer_shapes(std::move(graph));
  const ThinnedNetwork thin = thin_channels(graph, {}, config(3));
  EXPECT_GE(thin.conv_macs_divided_by, 3);
  std::map<std::string, int> kept;
  for (const ThinnedGroup& group : thin.groups) {
    for (const std::string& node : group.producers) kept[node] += group.kept;
  }
  for (const auto& [node, channels] : kept) EXPECT_GE(channels, 4) << node;
  EXPECT_LT(weight_shape(thin.graph, "narrow.w")[0], 16);
  EXPECT_LT(weight_shape(thin.graph, "wide.w")[0], 32);
}

TEST(ThinChannels, FollowNamedRatesAndExclusions) {
  const ir::Graph graph = Chain().build();
  PruneConfig listed = config(1);
  listed.rates.conv_macs_divided_by.reset();
  listed.rates.per_layer = {{"b", 4}};
  const ThinnedNetwork thin = thin_channels(graph, rising(graph), listed);
  EXPECT_EQ(weight_shape(thin.graph, "b.w"), (ir::Extents{8, 16, 3, 3}));
  EXPECT_EQ(weight_shape(thin.graph, "c.w"), (ir::Extents{16, 8, 3, 3}));
  PruneConfig excluding = config(1.5);
  excluding.exclude = {"a"};
  const ThinnedNetwork other = thin_channels(graph, rising(graph), excluding);
  EXPECT_EQ(weight_shape(other.graph, "a.w")[0], 16);
  EXPECT_EQ(other.groups[0].reason, "a is excluded");
}

TEST(ThinChannels, SayWhatCannotBe) {
  const ir::Graph graph = Chain().build();
  EXPECT_EQ(test::message_of([&] { thin_channels(graph, rising(graph), config(500)); }),
            "rates/conv_macs_divided_by: expected at most 13.33 by removing channels, got 500");
  PruneConfig listed = config(1);
  listed.rates.conv_macs_divided_by.reset();
  listed.rates.per_layer = {{"y", 2}};
  EXPECT_EQ(
      test::message_of([&] { thin_channels(graph, rising(graph), listed); }),
      "rates/per_layer: the channels of \"y\" cannot be removed: \"y\" is an output of the model");
  listed.rates.per_layer = {{"b", 9}};
  EXPECT_EQ(test::message_of([&] { thin_channels(graph, rising(graph), listed); }),
            "rates/per_layer: \"b\": expected at most 8.00, got 9; of its 32 channels 4 must stay");
  listed.rates.per_layer = {{"b", 2}};
  listed.exclude = {"b"};
  EXPECT_EQ(test::message_of([&] { thin_channels(graph, rising(graph), listed); }),
            "rates/per_layer: the channels of \"b\" cannot be removed: b is excluded");
  listed.exclude.clear();
  listed.rates.per_layer = {{"d", 2}};
  EXPECT_EQ(test::message_of([&] { thin_channels(graph, rising(graph), listed); }),
            "rates/per_layer: \"d\" matches no layer with filters");
}

// An operator whose dependence on its channels is not known ties them: they are refused by its
// name, and where others are to make up for them they all stay.
TEST(ThinChannels, NameTheOperatorThatTiesThem) {
  const auto graph_with = [](const auto& tie) {
    ir::Graph graph;
    test::RandomTensors random(1);
    const auto conv = [&](const std::string& name, ir::ValueId x, ir::Extents shape) {
      ir::Conv op;
      op.pads = {1, 1, 1, 1};
      return graph.add_node(name, op, {x, graph.add_constant(name + ".w", random.f32(shape))});
    };
    const ir::ValueId x = graph.add_input("x", {ir::DType::f32, ir::Shape{1, 8, 6, 6}, {}});
    const ir::ValueId free = conv("free", x, {32, 8, 3, 3}),
                      tied = conv("tied", free, {8, 32, 3, 3});
    graph.set_outputs({conv("y", tie(graph, tied), {8, 8, 3, 3})});
    return ir::infer_shapes(std::move(graph));
  };
  struct Tie {
    std::string reason;
    std::function<ir::ValueId(ir::Graph&, ir::ValueId)> add;
  };
  const std::vector<Tie> ties = {
      {"node \"soft\" (Softmax) normalises over these channels",
       [](ir::Graph& g, ir::ValueId v) { return g.add_node("soft", ir::Softmax{1}, {v}); }},
      {"node \"rows\" (MatMul) multiplies a constant from the left",
       [](ir::Graph& g, ir::ValueId v) {
         const ir::ValueId left = g.add_constant("left", test::RandomTensors(2).f32({6, 6}));
         return g.add_node("rows", ir::MatMul{}, {left, v});
       }},
      {"node \"shape\" (Shape) reads their number",
       [](ir::Graph& g, ir::ValueId v) {
         return g.add_node("again", ir::Reshape{}, {v, g.add_node("shape", ir::ShapeOf{}, {v})});
       }},
  };
  for (const Tie& tie : ties) {
    SCOPED_TRACE(tie.reason);
    const ir::Graph graph = graph_with(tie.add);
    PruneConfig listed = config(1);
    listed.rates.conv_macs_divided_by.reset();
    listed.rates.per_layer = {{"tied", 2}};
    EXPECT_EQ(test::message_of([&] { thin_channels(graph, rising(graph), listed); }),
              "rates/per_layer: the channels of \"tied\" cannot be removed: " + tie.reason);
    const ThinnedNetwork thin = thin_channels(graph, rising(graph), config(1.5));
    EXPECT_EQ(weight_shape(thin.graph, "tied.w")[0], 8);
    EXPECT_LT(weight_shape(thin.graph, "free.w")[0], 32);
  }
}

}  // namespace
}  // namespace xgen::prune
