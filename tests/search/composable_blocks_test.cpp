#include "search/composable_blocks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/ir/infer_shapes.h"
#include "prune/layers.h"
#include "train/zoo/net_builder.h"
#include "train/zoo/zoo.h"

namespace xgen::search {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> prunable_layers(const ir::Graph& network) {
  std::vector<std::string> names;
  for (const prune::Layer& layer : prune::layers_of(network)) {
    if (layer.shape.c_in >= 4 && !layer.is_output) names.push_back(layer.node);
  }
  return names;
}

std::vector<NetworkBlock> blocks_of_zoo(const std::string& name) {
  const ir::Graph network = ir::infer_shapes(train::make_zoo_model(name, 10, 1));
  return blocks_of(network, prunable_layers(network));
}

TEST(BlocksOf, AResidualBlockIsOneBlock) {
  const std::vector<NetworkBlock> blocks = blocks_of_zoo("resnet20");
  ASSERT_EQ(blocks.size(), 9u);
  EXPECT_EQ(blocks[0].entry, "relu1") << "the stem cannot be pruned";
  EXPECT_EQ(blocks[0].exit, "layer1.0.relu2");
  EXPECT_THAT(blocks[0].layers, ElementsAre("layer1.0.conv1", "layer1.0.conv2"));
  EXPECT_THAT(blocks[0].nodes,
              ElementsAre("layer1.0.conv1", "layer1.0.bn1", "layer1.0.relu1", "layer1.0.conv2",
                          "layer1.0.bn2", "layer1.0.add", "layer1.0.relu2"));
  for (std::size_t b = 1; b < blocks.size(); ++b)
    EXPECT_EQ(blocks[b].entry, blocks[b - 1].exit) << b;
  EXPECT_EQ(blocks[8].exit, "layer3.2.relu2") << "pooling is the classifier's";
}

TEST(BlocksOf, WithoutBranchesEachLayerIsOneWithWhatKeepsItsExtents) {
  const std::vector<NetworkBlock> blocks = blocks_of_zoo("fashion_cnn");
  ASSERT_EQ(blocks.size(), 4u);
  EXPECT_THAT(blocks[0].nodes, ElementsAre("pool1", "conv2", "bn2", "relu2"));
  EXPECT_THAT(blocks[1].nodes, ElementsAre("conv3", "bn3", "relu3"));
  EXPECT_EQ(blocks[2].entry, "relu3");
  EXPECT_THAT(blocks[2].nodes, ElementsAre("pool2", "conv4", "bn4", "relu4"));
}

TEST(BlocksOf, OnlyWhatDecidesIsABlock) {
  const ir::Graph network = ir::infer_shapes(train::make_zoo_model("fashion_cnn", 10, 1));
  const std::vector<NetworkBlock> blocks = blocks_of(network, {"conv3", "conv5"});
  ASSERT_EQ(blocks.size(), 2u);
  EXPECT_NE(blocks[0].exit, blocks[1].entry) << "conv4 stands between them";
  EXPECT_THAT(blocks_of(network, {}), IsEmpty());
}

TEST(BlocksOf, DoesNotCutApartWhatReadsTheSameWeight) {
  for (const bool two_names : {false, true}) {
    train::NetBuilder net("shared", 4, 6, 6, Random(1));
    net.conv("a", 4, {}).relu("ra").conv("b", 4, {}).relu("rb").conv("c", 4, {}).relu("rc");
    ir::Graph network = net.average_pool_to_features("pool").finish(2);
    const ir::ValueId first = network.find("a.weight"), third = network.find("c.weight");
    ASSERT_NE(first, ir::kNoValue);
    if (two_names) {
      network.value(third).constant = network.value(first).constant;
    } else {
      network.replace_uses(third, first);
      network = network.pruned();
    }
    const std::vector<NetworkBlock> blocks = blocks_of(ir::infer_shapes(network), {"a", "b"});
    ASSERT_EQ(blocks.size(), 1u);
    EXPECT_THAT(blocks[0].nodes, ElementsAre("a", "ra", "b", "rb", "c", "rc"));
  }
}

TEST(SequenceOf, ABlockThatStaysDenseHasNoChoices) {
  const std::vector<NetworkBlock> blocks = {{"x", "y", {"a", "b"}, {"a", "b"}},
                                            {"y", "z", {"c"}, {"c"}}};
  const std::vector<Parameter> parameters = {{"a", {"dense", "pattern 4.0"}},
                                             {"b", {"pattern 4.0", "dense"}},
                                             {"c", {"block 2.0", "block 4.0"}},
                                             {"a bits", {"32", "8"}}};
  EXPECT_EQ(sequence_of(blocks, parameters, {0, 1, 0, 1}), (BlockSequence{{}, {0}}));
  EXPECT_EQ(sequence_of(blocks, parameters, {1, 1, 1, 0}), (BlockSequence{{1, 1}, {1}}));
}

// Blocks of one layer each, one after another.
std::vector<NetworkBlock> chain(std::size_t length) {
  std::vector<NetworkBlock> blocks;
  for (std::size_t i = 0; i < length; ++i) {
    const std::string layer = "layer" + std::to_string(i);
    blocks.push_back({"v" + std::to_string(i), "v" + std::to_string(i + 1), {layer}, {layer}});
  }
  return blocks;
}

// A digit for each block's choice; 0: dense.
BlockSequence candidate(const std::string& digits) {
  BlockSequence sequence;
  for (const char c : digits) sequence.push_back(c == '0' ? BlockChoices{} : BlockChoices{c - '0'});
  return sequence;
}

std::vector<std::string> rules(const std::vector<std::string>& candidates, double share = 1) {
  std::vector<BlockSequence> sequences;
  for (const std::string& c : candidates) sequences.push_back(candidate(c));
  std::vector<std::string> names;
  for (const TuningBlock& block : tuning_blocks(chain(candidates[0].size()), sequences, share))
    names.push_back(block.name());
  return names;
}

TEST(TuningBlocks, WhatOnlyOccursTogetherIsOne) {
  EXPECT_THAT(rules({"1234", "1233", "2234"}),
              ElementsAre("0(1)", "0(2)", "1(2)(3)", "3(3)", "3(4)"));
  EXPECT_THAT(rules({"1231", "1232"}), ElementsAre("0(1)(2)(3)", "3(1)", "3(2)"));
}

TEST(TuningBlocks, WhatOccursOnceIsTunedAlone) {
  EXPECT_THAT(rules({"111"}), ElementsAre("0(1)", "1(1)", "2(1)"));
  EXPECT_THAT(rules({"12", "21"}), ElementsAre("0(1)", "0(2)", "1(1)", "1(2)"));
}

TEST(TuningBlocks, NoBlockIsTrainedTwiceUnlessRepetitionsAreWantedLonger) {
  const std::vector<std::string> candidates = {"112", "113", "121"};
  EXPECT_THAT(rules(candidates), ElementsAre("0(1)", "1(1)", "1(2)", "2(1)", "2(2)", "2(3)"));
  EXPECT_THAT(rules(candidates, 0), ElementsAre("0(1)", "0(1)(1)", "1(2)", "2(1)", "2(2)", "2(3)"));
  EXPECT_EQ(rules(candidates, 0.66), rules(candidates, 0)) << "2 of 3 times";
  EXPECT_EQ(rules(candidates, 0.67), rules(candidates));
}

TEST(TuningBlocks, RulesAreMadeOfRulesTheMostFrequentFirst) {
  // "23" in the middle three times, then "1" before it and "4" behind it twice each.
  EXPECT_THAT(rules({"1234", "1235", "2234"}, 0),
              ElementsAre("0(1)(2)(3)", "0(2)", "1(2)(3)", "3(4)", "3(5)"));
}

TEST(TuningBlocks, DenseBlocksAreNotTrainedAndPartTheOthers) {
  EXPECT_THAT(rules({"101", "101"}), ElementsAre("0(1)", "2(1)"));
  EXPECT_THAT(rules({"000", "000"}), IsEmpty());
}

TEST(TuningBlocks, BlocksWithSomethingBetweenThemAreNotJoined) {
  std::vector<NetworkBlock> blocks = chain(2);
  const std::vector<BlockSequence> twice = {candidate("11"), candidate("11")};
  EXPECT_EQ(tuning_blocks(blocks, twice).size(), 1u);
  blocks[1].entry = "behind a layer that cannot be pruned";
  EXPECT_EQ(tuning_blocks(blocks, twice).size(), 2u);
}

TEST(TuningBlocks, CoverEveryCandidateTheyWereMadeFor) {
  RandomStream random = Random(1).stream("candidates");
  for (const double share : {0.0, 0.5, 1.0}) {
    std::vector<BlockSequence> candidates;
    for (int c = 0; c < 20; ++c) {
      BlockSequence& sequence = candidates.emplace_back();
      for (int b = 0; b < 7; ++b) {
        const auto choice = static_cast<int>(random.integer(0, 2));
        sequence.push_back(choice == 0 ? BlockChoices{} : BlockChoices{choice});
      }
    }
    const std::vector<TuningBlock> found = tuning_blocks(chain(7), candidates, share);
    const std::set<TuningBlock> known(found.begin(), found.end());
    for (const BlockSequence& c : candidates) {
      const auto parts = cover(known, c);
      ASSERT_TRUE(parts.has_value());
      BlockSequence made(c.size());
      for (const TuningBlock& part : *parts) {
        for (std::size_t i = 0; i < part.choices.size(); ++i)
          made[part.first + i] = part.choices[i];
      }
      EXPECT_EQ(made, c);
    }
  }
}

TEST(Cover, TakesTheFewestBlocksWhicheverWayTheyFit) {
  std::set<TuningBlock> known = {{0, {{1}}}, {0, {{1}, {2}}}, {1, {{2}, {3}}}, {2, {{4}}}};
  const auto names = [&](const std::string& digits) {
    std::vector<std::string> result;
    const auto parts = cover(known, candidate(digits));
    if (!parts) return result;
    for (const TuningBlock& block : *parts) result.push_back(block.name());
    return result;
  };
  EXPECT_THAT(names("123"), ElementsAre("0(1)", "1(2)(3)")) << "not the longest one first";
  EXPECT_THAT(names("124"), ElementsAre("0(1)(2)", "2(4)"));
  EXPECT_THAT(names("000"), IsEmpty());
  EXPECT_FALSE(cover(known, candidate("125")).has_value());
  known.insert({2, {{3}}});
  EXPECT_THAT(names("123"), ElementsAre("0(1)(2)", "2(3)")) << "of as few, the longest in front";
  known.insert({{3, {{4}}}, {1, {{2}, {3}, {4}}}});
  EXPECT_THAT(names("1234"), ElementsAre("0(1)", "1(2)(3)(4)")) << "of more, not";
}

}  // namespace
}  // namespace xgen::search
