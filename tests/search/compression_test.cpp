#include "search/compression.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "codegen/targets.h"
#include "core/error.h"
#include "core/ir/infer_shapes.h"
#include "search/candidate_cost.h"
#include "search/labelled_graph.h"
#include "tests/support/message.h"
#include "train/zoo/zoo.h"

namespace xgen::search {
namespace {

using nlohmann::json;

const ir::Graph& network() {
  static const ir::Graph graph = [] {
    const ir::Graph g = ir::infer_shapes(train::make_zoo_model("resnet20", 10, 1));
    std::map<std::string, std::int64_t> sizes;
    for (const std::string& symbol : ir::free_symbols(g)) sizes[symbol] = 1;
    return ir::bind_dims(g, sizes);
  }();
  return graph;
}

CompressionConfig config(const std::string& per) {
  CompressionConfig c;
  c.per = per;
  c.schemes = {"pattern", "block"};
  c.rates = {1, 2.25, 4, 9};
  c.bits = {32, 8};
  return c;
}

Compression compression(const CompressionConfig& c) {
  static const prune::PruneConfig base;
  return {c, base, network(), "s.json"};
}

CandidateCost cost(const Compression& c, const Point& point) {
  static const Target target = find_target("x86_64");
  static const latency::LatencyTable table{{target.name, target.kernels.back(), "", ""}, {}};
  return cost_of(c.deployed(network(), point), target, table);
}

TEST(Compression, OfANetworkIsOneDecisionOnPruningAndOneOnBits) {
  const Compression c = compression(config("network"));
  ASSERT_EQ(c.parameters().size(), 2u);
  EXPECT_EQ(c.parameters()[0].choices,
            (std::vector<std::string>{"dense", "pattern 2.25", "pattern 4.0", "pattern 9.0",
                                      "block 2.25", "block 4.0", "block 9.0"}));
  EXPECT_EQ(c.parameters()[1].choices, (std::vector<std::string>{"32", "8"}));
}

TEST(Compression, MakesANetworkSmallerAsFarAsItIsAskedTo) {
  const Compression c = compression(config("network"));
  const CandidateCost dense = cost(c, {0, 0}), pruned = cost(c, {2, 0}), integers = cost(c, {0, 1}),
                      both = cost(c, {2, 1});
  EXPECT_LT(static_cast<double>(pruned.macs), 0.27 * static_cast<double>(dense.macs));
  EXPECT_EQ(integers.macs, dense.macs);
  EXPECT_LT(integers.size_bytes, 0.35 * static_cast<double>(dense.size_bytes));
  EXPECT_LT(both.size_bytes, 0.6 * static_cast<double>(integers.size_bytes));
  EXPECT_LT(pruned.latency.us, dense.latency.us);
  EXPECT_LT(both.latency.us, integers.latency.us);
}

TEST(Compression, LayerByLayerPrunesOnlyWhatAPointNames) {
  CompressionConfig per_layer = config("layer");
  per_layer.exclude = {"conv1"};
  const Compression c = compression(per_layer);
  std::map<std::string, std::size_t> at;
  for (std::size_t i = 0; i < c.parameters().size(); ++i) at[c.parameters()[i].name] = i;
  EXPECT_EQ(at.count("conv1"), 0u) << "excluded";
  EXPECT_EQ(at.count("conv1 bits"), 0u);
  const std::string layer = c.parameters()[3].name;
  ASSERT_EQ(at.count(layer + " bits"), 1u);
  Point point(c.parameters().size(), 0);
  const CandidateCost dense = cost(c, point);
  point[3] = 2;  // pattern 4
  const ir::Graph deployed = c.deployed(network(), point);
  int masked = 0;
  for (const ir::Value& value : deployed.values()) masked += value.sparsity.has_value();
  EXPECT_EQ(masked, 1);
  EXPECT_LT(cost(c, point).macs, dense.macs);
  const json stages =
      c.stages({{{"kind", "prune"}, {"name", "p"}, {"rates", {{"conv_macs_divided_by", 2}}}},
                {{"kind", "quantize"}, {"name", "q"}},
                {{"kind", "compile"}, {"name", "ship"}}},
               network(), point);
  ASSERT_EQ(stages.size(), 2u) << "nothing is quantized";
  EXPECT_EQ(stages[0]["rates"]["per_layer"], json({{layer, 4.0}}));
  EXPECT_EQ(stages[0]["layers"],
            json::array({{{"match", layer}, {"scheme", "pattern"}, {"punched", false}}}));
  EXPECT_EQ(stages[0]["final_type"], "int8") << "masks that serve both types";
}

TEST(Compression, AChoiceAlonePrunesWhatItDoesInACandidateThatIsDenseElse) {
  CompressionConfig grouped = config("layer");
  grouped.bits = {32};
  grouped.groups = {"layer1.*"};
  const Compression c = compression(grouped);
  const auto names = [](const std::vector<prune::PlannedLayer>& layers) {
    std::set<std::string> names;
    for (const prune::PlannedLayer& layer : layers) names.insert(layer.weight);
    return names;
  };
  for (std::size_t p = 0; p < c.parameters().size(); ++p) {
    EXPECT_TRUE(c.prunes(p));
    for (std::size_t choice = 0; choice < c.parameters()[p].choices.size(); ++choice) {
      Point point(c.parameters().size(), 0);
      point[p] = static_cast<int>(choice);
      const auto alone = c.planned_alone(network(), p, point[p]), all = c.planned(network(), point);
      EXPECT_EQ(names(alone), names(all)) << c.parameters()[p].name << " " << choice;
      EXPECT_EQ(alone.size(), choice == 0 ? 0U : c.parameters()[p].name == "layer1.*" ? 6U : 1U);
      for (std::size_t i = 0; i < alone.size(); ++i)
        EXPECT_EQ(alone[i].constraint, all[i].constraint);
    }
  }
  EXPECT_FALSE(
      compression(config("layer")).prunes(compression(config("layer")).parameters().size() - 1))
      << "bits";
}

TEST(Compression, LayersOfAGroupDecideTogether) {
  CompressionConfig grouped = config("layer");
  grouped.bits = {32};
  grouped.groups = {"layer1.*", "*conv*"};
  const Compression c = compression(grouped);
  ASSERT_EQ(c.parameters().size(), 2u);
  EXPECT_EQ(c.parameters()[0].name, "layer1.*");
  EXPECT_EQ(c.parameters()[0].choices.size(), 7u);
  const json stages =
      c.stages({{{"kind", "prune"}, {"name", "p"}}, {{"kind", "compile"}, {"name", "ship"}}},
               network(), {3, 0});
  const json& rates = stages[0]["rates"]["per_layer"];
  EXPECT_EQ(rates.size(), 6u) << rates.dump();
  for (const auto& [node, rate] : rates.items()) {
    EXPECT_TRUE(node.starts_with("layer1.")) << node;
    EXPECT_EQ(rate, 9.0);
  }
  grouped.groups = {"*", "layer1.*"};
  EXPECT_EQ(test::message_of([&] { compression(grouped); }),
            "s.json/groups/1: \"layer1.*\" names no layer that can be pruned so and that no glob "
            "before it names");
}

TEST(Compression, ALayerOfAGroupDoesWhatItCan) {
  // conv1 has three input channels: it cannot be divided by 9 in blocks.
  CompressionConfig grouped = config("layer");
  grouped.schemes = {"nm", "block"};
  grouped.bits = {32};
  grouped.groups = {"*"};
  const Compression c = compression(grouped);
  ASSERT_EQ(c.parameters().size(), 1u);
  const auto& choices = c.parameters()[0].choices;
  const int nm9 =
      static_cast<int>(std::find(choices.begin(), choices.end(), "nm 9.0") - choices.begin());
  const json stages = c.stages({{{"kind", "prune"}, {"name", "p"}}}, network(), {nm9});
  for (const json& rule : stages[0]["layers"]) {
    const double rate = stages[0]["rates"]["per_layer"][rule["match"].get<std::string>()];
    EXPECT_LE(rate, 9) << rule.dump();
    EXPECT_GT(rate, 1) << rule.dump();
  }
  EXPECT_GT(cost(c, {0}).macs, cost(c, {nm9}).macs);
}

TEST(Compression, KeepsMasksOnlyOfWeightsThatAreAlikeInAllNetworks) {
  const Compression c = compression(config("network"));
  int asked = 0;
  float sign = 1;
  const prune::WeightReader read = [&](const std::string& name) {
    ++asked;
    std::vector<float> weights = prune::reader_of(network())(name);
    if (sign < 0) std::reverse(weights.begin(), weights.end());
    return weights;
  };
  const auto masks = [&](const Point& point, bool alike) {
    std::vector<Sparsity> all;
    const ir::Graph deployed = c.deployed(network(), point, {read, alike});
    for (const ir::Value& value : deployed.values()) {
      if (value.sparsity) all.push_back(*value.sparsity);
    }
    return all;
  };
  const std::vector<Sparsity> pattern = masks({2, 1}, true), block = masks({5, 1}, true);
  EXPECT_EQ(pattern.size(), c.planned(network(), {2, 1}).size());
  EXPECT_GE(pattern.size(), 18u);
  EXPECT_NE(pattern, block);
  asked = 0;
  sign = -1;  // other weights, which nobody looks at
  EXPECT_EQ(masks({2, 1}, true), pattern);
  EXPECT_EQ(masks({5, 1}, true), block);
  EXPECT_EQ(asked, 0);
  EXPECT_NE(masks({2, 1}, false), pattern);
  EXPECT_NE(masks({2, 0}, true), pattern) << "masks of floats";
  EXPECT_GT(asked, 0);
}

TEST(Compression, TellsWhatACandidateLeavesToDo) {
  const Compression c = compression(config("network"));
  EXPECT_FALSE(c.work({0, 0}).prunes);
  EXPECT_FALSE(c.work({0, 0}).quantizes);
  EXPECT_TRUE(c.work({1, 0}).prunes);
  EXPECT_TRUE(c.work({0, 1}).quantizes);
}

TEST(Compression, LeavesOutStagesThatHaveNothingToDo) {
  const Compression c = compression(config("network"));
  const json stages = {{{"kind", "prune"}, {"name", "p"}},
                       {{"kind", "quantize"}, {"name", "q"}},
                       {{"kind", "compile"}, {"name", "ship"}}};
  EXPECT_EQ(c.stages(stages, network(), {0, 0}).size(), 1u);
  const json pruned = c.stages(stages, network(), {4, 0});
  ASSERT_EQ(pruned.size(), 2u);
  EXPECT_EQ(pruned[0]["scheme"], "block");
  EXPECT_EQ(pruned[0]["rates"]["per_layer"], json({{"*", 2.25}}));
  EXPECT_EQ(pruned[0]["exclude"], json({"fc"})) << "the last layer";
  EXPECT_EQ(pruned[0]["final_type"], "fp32");
  EXPECT_EQ(c.stages(stages, network(), {4, 1})[0]["final_type"], "int8");
  EXPECT_EQ(test::message_of([&] {
              c.stages(json::array(), network(), {4, 0});
            }),
            "/stages: expected a stage of kind \"prune\", as candidates ask for it, found none");
}

TEST(Compression, CandidatesWithNearRatesHaveMoreInCommon) {
  const Compression c = compression(config("network"));
  const auto similar = [&](const Point& a, const Point& b) {
    LabelledGraph first{c.labels(a), {}}, second{c.labels(b), {}};
    return similarity(weisfeiler_lehman(first, 0), weisfeiler_lehman(second, 0));
  };
  EXPECT_GT(similar({1, 0}, {2, 0}), similar({1, 0}, {3, 0}));
  EXPECT_GT(similar({1, 0}, {2, 0}), similar({1, 0}, {5, 0}));
}

TEST(Compression, RefusesWhatItCannotMean) {
  const auto problem = [](auto change) {
    CompressionConfig c = config("network");
    change(c);
    const auto found = c.problem();
    return found ? found->key + ": " + found->message : "";
  };
  EXPECT_EQ(problem([](auto&) {}), "");
  EXPECT_EQ(problem([](auto& c) { c.schemes = {"blocks"}; }),
            "schemes: expected one of \"pattern\", \"block\", \"punched\", \"nm\", got \"blocks\"; "
            "did you mean \"block\"?");
  EXPECT_EQ(problem([](auto& c) { c.schemes.clear(); }),
            "schemes: expected a scheme for rates above 1, found none");
  EXPECT_EQ(problem([](auto& c) { c.bits = {16}; }), "bits: expected 8 or 32, got 16");
  EXPECT_EQ(problem([](auto& c) { c.rates = {2, 2}; }), "rates: a rate stands there twice");
  EXPECT_EQ(problem([](auto& c) { c.exclude = {"conv1"}; }),
            "exclude: speaks of layers: expected \"per\": \"layer\"");
  EXPECT_EQ(problem([](auto& c) { c.sensitivity = true; }),
            "sensitivity: is that of layers: expected \"per\": \"layer\"");
  CompressionConfig none = config("layer");
  none.exclude = {"*"};
  EXPECT_EQ(test::message_of([&] { compression(none); }),
            "s.json: the network has no layer that can be pruned so");
}

}  // namespace
}  // namespace xgen::search
