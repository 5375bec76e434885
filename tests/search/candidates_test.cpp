#include "search/candidates.h"

#include <gtest/gtest.h>

#include "codegen/targets.h"
#include "core/error.h"
#include "tests/support/message.h"
#include "train/zoo/net_builder.h"

namespace xgen::search {
namespace {

MacroSpace macro(std::vector<std::string> blocks) {
  MacroSpace s;
  s.image_size = 8;
  s.stem_channels = 8;
  s.head_channels = 32;
  s.stages = {{16, 2, 2}};
  s.blocks = std::move(blocks);
  return s;
}

CompressionConfig compression(const std::string& per) {
  CompressionConfig c;
  c.per = per;
  c.schemes = {"block"};
  c.rates = {1, 2, 4};
  c.bits = {32, 8};
  return c;
}

const prune::PruneConfig& base() {
  static const prune::PruneConfig base;
  return base;
}

TEST(Candidates, DecideOnArchitectureAndCompressionTogether) {
  const Candidates candidates(macro({"identity", "mb3_k3"}), compression("network"), base(), {},
                              "s:");
  const Space& space = candidates.space();
  ASSERT_EQ(space.parameters.size(), 4u);
  EXPECT_EQ(space.parameters[0].name, "block1");
  EXPECT_EQ(space.parameters[2].name, "pruning");
  EXPECT_EQ(space.parameters[3].name, "bits");
  const Target target = find_target("x86_64");
  const latency::LatencyTable table{{target.name, target.kernels.back(), "", ""}, {}};
  const auto size = [&](const Point& p) { return candidates.cost(p, target, table).size_bytes; };
  EXPECT_GT(size({1, 1, 0, 0}), size({0, 0, 0, 0}));
  EXPECT_GT(size({1, 1, 0, 0}), size({1, 1, 2, 0}));
  EXPECT_GT(size({1, 1, 2, 0}), size({1, 1, 2, 1}));
  EXPECT_NE(candidates.labelled({1, 1, 2, 0}).labels, candidates.labelled({1, 1, 2, 1}).labels);
}

TEST(Candidates, EverySampleIsANetworkThatCompiles) {
  const Candidates candidates(macro({"identity", "mb3_k3", "mb6_k5"}), compression("network"),
                              base(), {}, "s:");
  const Target target = find_target("x86_64");
  const latency::LatencyTable table{{target.name, target.kernels.back(), "", ""}, {}};
  RandomStream random = Random(3).stream("samples");
  for (int i = 0; i < 20; ++i) {
    const Point point = candidates.space().sample(random);
    EXPECT_GT(candidates.cost(point, target, table).macs, 0);
  }
}

TEST(Candidates, CostTheSameWhateverWasCostedBefore) {
  const auto fresh = [] {
    return Candidates(macro({"identity", "mb3_k3", "mb6_k5"}), compression("network"), base(), {},
                      "s:");
  };
  const Target target = find_target("x86_64");
  const latency::LatencyTable table{{target.name, target.kernels.back(), "", ""}, {}};
  const Candidates asked = fresh();
  RandomStream random = Random(5).stream("samples");
  for (int i = 0; i < 20; ++i) {
    const Point point = asked.space().sample(random);
    const CandidateCost now = asked.cost(point, target, table),
                        alone = fresh().cost(point, target, table);
    EXPECT_EQ(now.latency.us, alone.latency.us);
    EXPECT_EQ(now.size_bytes, alone.size_bytes);
    EXPECT_EQ(now.peak_bytes, alone.peak_bytes);
  }
}

TEST(Candidates, MasksAreThoseOfTheWeightsThatANetworkStartsFrom) {
  const ir::Graph network = macro({"mb3_k3"}).network({0, 0}, Random(7));
  int compared = 0;
  for (const ir::Node& node : network.nodes()) {
    const auto* conv = node.as<ir::Conv>();
    if (node.as<ir::Gemm>() == nullptr && (conv == nullptr || conv->groups > 1)) continue;
    const ir::Value& weight = network.value(node.inputs[1]);
    const auto values = weight.constant->as<float>();
    EXPECT_EQ(train::initial_weights(Random(7), weight.name, weight.constant->shape),
              std::vector<float>(values.begin(), values.end()));
    ++compared;
  }
  EXPECT_EQ(compared, 7);
}

TEST(Candidates, ConditionsRuleSomeOut) {
  const Candidates candidates(macro({"identity", "mb3_k3"}), compression("network"), base(),
                              {{{{"bits", {"8"}}}, {{"pruning", {"block 4.0"}}}}}, "s:");
  EXPECT_TRUE(candidates.space().contains({0, 0, 2, 1}));
  EXPECT_FALSE(candidates.space().contains({0, 0, 1, 1}));
}

TEST(Candidates, LayersOfSeveralArchitecturesDoNotDecideByThemselves) {
  EXPECT_EQ(
      test::message_of([] {
        Candidates(macro({"identity", "mb3_k3"}), compression("layer"), base(), {}, "s.json:");
      }),
      "s.json: /compression/per: \"layer\" asks for a space with one architecture, this one "
      "has 4; expected \"network\"");
  const Candidates one(macro({"mb3_k3"}), compression("layer"), base(), {}, "s.json:");
  EXPECT_GT(one.space().parameters.size(), 6u);
}

}  // namespace
}  // namespace xgen::search
