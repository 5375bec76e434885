#include "prune/rates.h"

#include <gtest/gtest.h>

#include "prune/plan.h"

namespace xgen::prune {
namespace {

Layer conv(const std::string& node, int c_out, int c_in, int k, std::int64_t positions,
           const std::string& reason = "") {
  Layer layer;
  layer.node = node;
  layer.weight = node + ".w";
  layer.op = "Conv";
  layer.shape = {c_out, c_in, k, k};
  layer.macs = positions * c_out * c_in * k * k;
  layer.prunable = reason.empty();
  layer.reason = reason;
  return layer;
}

const std::vector<Layer> kLayers = {conv("stem", 16, 3, 3, 100, "few channels"),
                                    conv("a", 16, 16, 3, 100), conv("b", 32, 32, 1, 100)};

PruneConfig int8() {
  PruneConfig config;
  config.final_type = "int8";
  return config;
}

double divided_by(const std::vector<Layer>& layers, const Rates& rates, const PruneConfig& config) {
  double dense = 0;
  double kept = 0;
  for (const Layer& layer : layers) {
    const auto rate = rates.find(layer.weight);
    dense += static_cast<double>(layer.macs);
    kept += static_cast<double>(rate == rates.end()
                                    ? layer.macs
                                    : kept_macs(layer, constraint_of(layer, rate->second, config)));
  }
  return dense / kept;
}

template <class Call>
std::string message_of(const Call& call) {
  try {
    call();
  } catch (const UserError& error) {
    return error.what();
  }
  return "accepted";
}

TEST(UniformRates, ReachTheWishCountingTheLayersThatStayDense) {
  for (const double wish : {2.0, 3.0, 4.0}) {
    const Rates rates = uniform_rates(kLayers, wish, int8());
    EXPECT_EQ(rates.size(), 2U);
    EXPECT_GE(divided_by(kLayers, rates, int8()), wish);
    EXPECT_GT(rates.at("a.w"), wish);  // the stem does not shrink
  }
  // Patterns in all lanes of "a" do already.
  EXPECT_EQ(uniform_rates(kLayers, 1.5, int8()), (Rates{{"a.w", 2.25}}));
  // The next block would already miss the wish: the rate is not higher than it must be.
  EXPECT_LT(divided_by(kLayers, uniform_rates(kLayers, 3, int8()), int8()), 3.3);
}

TEST(UniformRates, SayWhatCanBeReached) {
  EXPECT_EQ(message_of([] { uniform_rates(kLayers, 50, int8()); }),
            "rates/conv_macs_divided_by: expected at most 4.60, got 50; dense stay: stem");
}

TEST(UniformRates, LeaveTheClassifierDense) {
  std::vector<Layer> layers = kLayers;
  layers.push_back(conv("fc", 10, 32, 1, 1));
  layers.back().op = "Gemm";
  EXPECT_EQ(uniform_rates(layers, 2, int8()).count("fc.w"), 1U);
  layers.back().is_output = true;
  EXPECT_EQ(uniform_rates(layers, 2, int8()).count("fc.w"), 0U);
}

TEST(ConstraintOf, KeepsPatternsInAllLanesFirst) {
  const Constraint c = constraint_of(kLayers[1], 2, int8());
  EXPECT_EQ(c.scheme, Sparsity::Scheme::pattern);
  EXPECT_EQ(c.kept_blocks, 16);
  EXPECT_EQ(constraint_of(kLayers[1], 4.5, int8()).kept_blocks, 8);
  EXPECT_EQ(constraint_of(kLayers[2], 4, int8()).kept_blocks, 16);
  EXPECT_EQ(constraint_of(kLayers[2], 1000, int8()).kept_blocks, 8);  // one of each group
  PruneConfig fp32;
  EXPECT_EQ(constraint_of(kLayers[2], 4, fp32).kept_blocks, 4 * 32 / 4);
}

TEST(ListedRates, PreferExactNamesToGlobs) {
  const Rates rates = listed_rates(kLayers, {{"*", 2}, {"b", 5}});
  EXPECT_EQ(rates, (Rates{{"a.w", 2}, {"b.w", 5}}));
  EXPECT_EQ(listed_rates(kLayers, {{"*", 2}, {"a", 1}}), (Rates{{"b.w", 2}}));
}

TEST(ListedRates, NameWhatDoesNotMatchOrCannotBePruned) {
  EXPECT_EQ(message_of([] {
              listed_rates(kLayers, {{"sten", 2}});
            }),
            "rates/per_layer: \"sten\" matches no layer with weights; did you mean \"stem\"?");
  EXPECT_EQ(message_of([] {
              listed_rates(kLayers, {{"stem", 2}});
            }),
            "rates/per_layer: \"stem\" cannot be pruned: few channels");
}

TEST(ChooseRates, TakesTheTimeThatCostsLeast) {
  const std::vector<RateTable> tables = {{"a", {{1, 100, 0, 0}, {4, 50, 0, 1.0}, {8, 40, 0, 3.0}}},
                                         {"b", {{1, 100, 0, 0}, {4, 60, 0, 0.1}, {8, 30, 0, 0.5}}}};
  const ChosenRates chosen = choose_rates(tables, 10, {Budget::Of::latency_us, 160});
  EXPECT_TRUE(chosen.feasible);
  EXPECT_EQ(chosen.chosen.rates, (Rates{{"b", 8}}));
  EXPECT_EQ(chosen.points.front().latency_us, 210);
  EXPECT_EQ(chosen.points.back().latency_us, 80);
  EXPECT_EQ(choose_rates(tables, 10, {Budget::Of::latency_us, 170}).chosen.rates,
            (Rates{{"b", 4}}));
  EXPECT_EQ(choose_rates(tables, 10, {Budget::Of::latency_us, 95}).chosen.rates,
            (Rates{{"a", 4}, {"b", 8}}));
}

TEST(ChooseRates, NeverTakesAnOptionThatWinsNoTime) {
  const ChosenRates chosen = choose_rates(
      {{"a", {{1, 100, 0, 0}, {2, 120, 0, 0}, {4, 100, 0, -1}}}}, 0, {Budget::Of::latency_us, 50});
  EXPECT_FALSE(chosen.feasible);
  EXPECT_TRUE(chosen.chosen.rates.empty());
}

TEST(ChooseRates, LeavesTheBestPointsWhenTheWishCannotBeMet) {
  const ChosenRates chosen = choose_rates({{"a", {{1, 100, 0, 0}, {4, 50, 0, 1}, {8, 40, 0, 3}}}},
                                          10, {Budget::Of::latency_us, 20});
  EXPECT_FALSE(chosen.feasible);
  ASSERT_EQ(chosen.points.size(), 3U);
  EXPECT_EQ(chosen.points.back().latency_us, 50);
  EXPECT_EQ(chosen.points.back().harm, 3);
}

TEST(ChooseRates, CountsMacsWhereTheyAreTheBudget) {
  const std::vector<RateTable> tables = {
      {"a", {{1, 100, 800, 0}, {2, 60, 400, 0.3}, {4, 55, 200, 0.4}}},
      {"b", {{1, 100, 200, 0}, {2, 20, 100, 0.1}}}};
  EXPECT_EQ(choose_rates(tables, 0, {Budget::Of::conv_macs, 650}).chosen.rates, (Rates{{"a", 2}}));
  EXPECT_EQ(choose_rates(tables, 0, {Budget::Of::conv_macs, 300}).chosen.options,
            (std::map<std::string, std::size_t>{{"a", 2}, {"b", 1}}));
}

}  // namespace
}  // namespace xgen::prune
