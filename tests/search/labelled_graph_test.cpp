#include "search/labelled_graph.h"

#include <gtest/gtest.h>

#include <cmath>

namespace xgen::search {
namespace {

LabelledGraph chain(const std::vector<std::string>& labels) {
  LabelledGraph graph{labels, {}};
  for (int i = 1; i < static_cast<int>(labels.size()); ++i) graph.edges.emplace_back(i - 1, i);
  return graph;
}

double between(const LabelledGraph& a, const LabelledGraph& b, int rounds) {
  return similarity(weisfeiler_lehman(a, rounds), weisfeiler_lehman(b, rounds));
}

TEST(WeisfeilerLehman, CountsLabelsInRoundZero) {
  EXPECT_DOUBLE_EQ(between(chain({"a", "b", "b"}), chain({"b", "a", "b"}), 0), 1);
  // (1, 2) and (2, 1): cosine 4 / 5.
  EXPECT_DOUBLE_EQ(between(chain({"a", "b", "b"}), chain({"a", "a", "b"}), 0), 0.8);
  EXPECT_EQ(between(chain({"a"}), chain({"b"}), 0), 0);
}

TEST(WeisfeilerLehman, TellsNeighboursApartFromRoundOne) {
  // Both have an "a" and two "b"; in one round only the last "b" has the same surroundings.
  EXPECT_DOUBLE_EQ(between(chain({"a", "b", "b"}), chain({"b", "a", "b"}), 1), 5.0 / 8);
  EXPECT_DOUBLE_EQ(between(chain({"a", "b", "b"}), chain({"a", "b", "b"}), 3), 1);
}

TEST(WeisfeilerLehman, TellsProducersFromReaders) {
  EXPECT_LT(between(chain({"a", "b"}), chain({"b", "a"}), 1), 1);
  // The order of nodes and edges is of no matter.
  const LabelledGraph one = {{"a", "b", "c"}, {{0, 2}, {1, 2}}},
                      other = {{"c", "b", "a"}, {{1, 0}, {2, 0}}};
  EXPECT_DOUBLE_EQ(between(one, other, 2), 1);
}

TEST(WeisfeilerLehman, HasFeaturesOfLengthOne) {
  double square = 0;
  for (const auto& [label, share] : weisfeiler_lehman(chain({"a", "b", "b"}), 2))
    square += share * share;
  EXPECT_DOUBLE_EQ(square, 1);
  EXPECT_TRUE(weisfeiler_lehman({}, 1).empty());
}

}  // namespace
}  // namespace xgen::search
