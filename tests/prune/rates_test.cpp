#include "prune/rates.h"

#include <gtest/gtest.h>

#include "core/random.h"
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

TEST(UniformRates, TakeTheNextStepOfASchemeWithFewOnlyWhereItIsNeeded) {
  std::vector<Layer> layers = {kLayers[0]};
  for (const char* name : {"a", "b", "c", "d"}) layers.push_back(conv(name, 16, 16, 3, 100));
  PruneConfig config = int8();
  config.scheme = "nm";
  // Two of four lanes in every layer, one in as many of the last ones as make up for the stem.
  EXPECT_EQ(uniform_rates(layers, 2, config),
            (Rates{{"a.w", 2}, {"b.w", 2}, {"c.w", 2}, {"d.w", 4}}));
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
  EXPECT_EQ(constraint_of(kLayers[2], 4, fp32).kept_blocks, 8 * 32 / 4);
}

TEST(ListedRates, PreferExactNamesToGlobs) {
  const Rates rates = listed_rates(kLayers, {{"*", 2}, {"b", 5}}, int8());
  EXPECT_EQ(rates, (Rates{{"a.w", 2}, {"b.w", 5}}));
  EXPECT_EQ(listed_rates(kLayers, {{"*", 2}, {"a", 1}}, int8()), (Rates{{"b.w", 2}}));
}

TEST(ListedRates, NameWhatDoesNotMatchOrCannotBePruned) {
  EXPECT_EQ(message_of([] {
              listed_rates(kLayers, {{"sten", 2}}, int8());
            }),
            "rates/per_layer: \"sten\" matches no layer with weights; did you mean \"stem\"?");
  EXPECT_EQ(message_of([] {
              listed_rates(kLayers, {{"stem", 2}}, int8());
            }),
            "rates/per_layer: \"stem\" cannot be pruned: few channels");
}

TEST(ListedRates, LeaveNoLayerEmpty) {
  // 32 filters in 8 groups, 8 lanes of 4 channels: a block of each group stays.
  EXPECT_EQ(listed_rates(kLayers, {{"b", 8}}, int8()), (Rates{{"b.w", 8}}));
  EXPECT_EQ(
      message_of([] {
        listed_rates(kLayers, {{"b", 9}}, int8());
      }),
      "rates/per_layer: \"b\": expected at most 8.00 with scheme \"block\", got 9; more would "
      "leave it empty");
  EXPECT_EQ(message_of([] {
              listed_rates(kLayers, {{"a", 20}}, int8());
            }),
            "rates/per_layer: \"a\": expected at most 9.00 with scheme \"pattern\", got 20; more "
            "would leave it empty");
  PruneConfig config = int8();
  config.layers = {{"a", "nm"}, {"b", "unstructured"}};
  EXPECT_EQ(message_of([&] {
              listed_rates(kLayers, {{"a", 5}}, config);
            }),
            "rates/per_layer: \"a\": expected at most 4.00 with scheme \"nm\", got 5; more would "
            "leave it empty");
  EXPECT_EQ(
      message_of([&] {
        listed_rates(kLayers, {{"b", 1025}}, config);
      }),
      "rates/per_layer: \"b\": expected at most 1024.00 with scheme \"unstructured\", got 1025; "
      "more would leave it empty");
}

TEST(ListedRates, RefuseKeysThatContradictEachOther) {
  EXPECT_EQ(message_of([] {
              listed_rates(kLayers, {{"b", 2}, {"b.w", 4}}, int8());
            }),
            "rates/per_layer: \"b\" and \"b.w\" contradict each other: 2 and 4 for \"b\"");
  EXPECT_EQ(message_of([] {
              listed_rates(kLayers, {{"?", 2}, {"b*", 4}}, int8());
            }),
            "rates/per_layer: \"?\" and \"b*\" contradict each other: 2 and 4 for \"b\"; a key of "
            "its own goes before both");
  EXPECT_EQ(listed_rates(kLayers, {{"?", 2}, {"b*", 4}, {"b", 3}}, int8()).at("b.w"), 3);
}

RateOption option(double rate, double us, double harm, double macs = 0, double bytes = 0) {
  return {rate, {us, macs, bytes}, harm};
}
Limit most_us(double us) { return {&Cost::latency_us, us}; }

TEST(ChooseRates, TakesTheTimeThatCostsLeast) {
  const std::vector<RateTable> tables = {
      {"a", {option(1, 100, 0), option(4, 50, 1.0), option(8, 40, 3.0)}},
      {"b", {option(1, 100, 0), option(4, 60, 0.1), option(8, 30, 0.5)}}};
  const ChosenRates chosen = choose_rates(tables, {10, 0, 0}, {most_us(160)});
  EXPECT_TRUE(chosen.feasible);
  EXPECT_EQ(chosen.excess_harm, 0);
  EXPECT_EQ(chosen.chosen.rates, (Rates{{"b", 8}}));
  EXPECT_EQ(chosen.points.front().cost.latency_us, 210);
  EXPECT_EQ(chosen.points.back().cost.latency_us, 80);
  EXPECT_EQ(choose_rates(tables, {10, 0, 0}, {most_us(170)}).chosen.rates, (Rates{{"b", 4}}));
  EXPECT_EQ(choose_rates(tables, {10, 0, 0}, {most_us(95)}).chosen.rates,
            (Rates{{"a", 4}, {"b", 8}}));
}

TEST(ChooseRates, NeverTakesAnOptionThatWinsNoTime) {
  const ChosenRates chosen = choose_rates(
      {{"a", {option(1, 100, 0), option(2, 120, 0), option(4, 100, -1)}}}, {}, {most_us(50)});
  EXPECT_FALSE(chosen.feasible);
  EXPECT_TRUE(chosen.chosen.rates.empty());
}

TEST(ChooseRates, LeavesTheBestPointsWhenTheWishCannotBeMet) {
  const ChosenRates chosen = choose_rates(
      {{"a", {option(1, 100, 0), option(4, 50, 1), option(8, 40, 3)}}}, {10, 0, 0}, {most_us(20)});
  EXPECT_FALSE(chosen.feasible);
  EXPECT_EQ(chosen.binding, 0U);
  ASSERT_EQ(chosen.points.size(), 3U);
  EXPECT_EQ(chosen.points.back().cost.latency_us, 50);
  EXPECT_EQ(chosen.points.back().harm, 3);
}

TEST(ChooseRates, CountsMacsWhereTheyAreTheLimit) {
  const std::vector<RateTable> tables = {
      {"a", {option(1, 100, 0, 800), option(2, 60, 0.3, 400), option(4, 55, 0.4, 200)}},
      {"b", {option(1, 100, 0, 200), option(2, 20, 0.1, 100)}}};
  EXPECT_EQ(choose_rates(tables, {}, {{&Cost::conv_macs, 650}}).chosen.rates, (Rates{{"a", 2}}));
  EXPECT_EQ(choose_rates(tables, {}, {{&Cost::conv_macs, 300}}).chosen.options,
            (std::map<std::string, std::size_t>{{"a", 2}, {"b", 1}}));
}

TEST(ChooseRates, SaysWhichLimitCannotBeMet) {
  const std::vector<RateTable> tables = {
      {"a", {option(1, 100, 0, 0, 1000), option(2, 60, 1, 0, 900), option(4, 80, 1, 0, 300)}}};
  const auto binding = [&](double us, double bytes) {
    return choose_rates(tables, {}, {most_us(us), {&Cost::bytes, bytes}});
  };
  EXPECT_EQ(binding(50, 1000).binding, 0U);
  EXPECT_EQ(binding(100, 200).binding, 1U);
  EXPECT_EQ(binding(100, 200).chosen.cost.bytes, 300);
  EXPECT_FALSE(binding(70, 500).feasible);
  EXPECT_EQ(binding(70, 500).binding, std::nullopt) << "each could be met alone";
  EXPECT_EQ(binding(90, 400).chosen.rates, (Rates{{"a", 4}}));
}

TEST(ChooseRates, ComesAsNearTheBestOfTwoLimitsAsItSays) {
  RandomStream random = Random(5).stream("two limits");
  for (int round = 0; round < 20; ++round) {
    std::vector<RateTable> tables;
    for (const char* name : {"a", "b", "c", "d", "e"}) {
      RateTable table{name, {option(1, 100, 0, 0, 1000)}};
      for (int o = 2; o < 6; ++o)
        table.options.push_back(
            option(o, 100 * random.uniform(), random.uniform(), 0, 1000 * random.uniform()));
      tables.push_back(std::move(table));
    }
    const std::vector<Limit> limits = {most_us(260), {&Cost::bytes, 2600}};
    // All combinations.
    double best = 1e9;
    for (int code = 0; code < 5 * 5 * 5 * 5 * 5; ++code) {
      RatePoint point;
      for (int t = 0, rest = code; t < 5; ++t, rest /= 5) {
        const RateOption& o =
            tables[static_cast<std::size_t>(t)].options[static_cast<std::size_t>(rest % 5)];
        point.cost += o.cost;
        point.harm += o.harm;
      }
      if (point.cost.latency_us <= 260 && point.cost.bytes <= 2600)
        best = std::min(best, point.harm);
    }
    const ChosenRates chosen = choose_rates(tables, {}, limits);
    ASSERT_EQ(chosen.feasible, best < 1e9);
    if (!chosen.feasible) continue;
    EXPECT_GE(chosen.chosen.harm, best - 1e-12);
    EXPECT_LE(chosen.chosen.harm - chosen.excess_harm, best + 1e-12);
    EXPECT_LE(chosen.chosen.harm, 1.15 * best + 0.1);
  }
}

}  // namespace
}  // namespace xgen::prune
