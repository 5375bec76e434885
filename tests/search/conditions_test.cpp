#include "search/conditions.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "tests/support/message.h"

namespace xgen::search {
namespace {

Space space() { return {"s", {{"scheme", {"dense", "block"}}, {"rate", {"1", "2", "4"}}}}; }

std::string message(const std::vector<ConditionConfig>& conditions) {
  return test::message_of([&] { with_conditions(space(), conditions, "s.json: /conditions"); });
}

TEST(Conditions, RuleCandidatesOut) {
  const Space bound = with_conditions(space(),
                                      {{{{"scheme", {"dense"}}}, {{"rate", {"1"}}}},
                                       {{{"scheme", {"block"}}}, {{"rate", {"2", "4"}}}}},
                                      "s.json: /conditions");
  EXPECT_TRUE(bound.contains({0, 0}));
  EXPECT_FALSE(bound.contains({0, 1}));
  EXPECT_FALSE(bound.contains({1, 0}));
  EXPECT_TRUE(bound.contains({1, 2}));
}

TEST(Conditions, NameWhatThereIsNot) {
  EXPECT_EQ(message({{{{"shceme", {"dense"}}}, {{"rate", {"1"}}}}}),
            "s.json: /conditions/0/when/0/parameter: expected a parameter of the space, got "
            "\"shceme\"; did you mean \"scheme\"?");
  EXPECT_EQ(message({{{{"scheme", {"dense"}}}, {{"rate", {"1", "3"}}}}}),
            "s.json: /conditions/0/then/0/is/1: expected one of \"1\", \"2\", \"4\", got \"3\"");
}

TEST(Conditions, ThatNoCandidateKeepsAreRefused) {
  EXPECT_EQ(message({{{}, {{"rate", {"2"}}}}, {{}, {{"rate", {"4"}}}}}),
            "s.json: /conditions: no candidate keeps all of them");
}

TEST(Conditions, OfCandidatesThatOthersRuleOutAreRefused) {
  EXPECT_EQ(message({{{}, {{"scheme", {"block"}}}}, {{{"scheme", {"dense"}}}, {{"rate", {"1"}}}}}),
            "s.json: /conditions/1: contradicts the others: no candidate has scheme = \"dense\"");
}

}  // namespace
}  // namespace xgen::search
