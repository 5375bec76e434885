#include "search/halving.h"

#include <gtest/gtest.h>

#include <limits>
#include <set>

namespace xgen::search {
namespace {

// Candidates of one decision; the errors that the first step found.
class HalvingTest : public testing::Test {
 protected:
  void rate(std::size_t step, int candidate, Objectives objectives) {
    points_.push_back({candidate});
    objectives_.push_back(std::move(objectives));
    steps_.push_back(step);
    begun_[step].push_back({candidate});
  }
  // Errors and times: a front of five, and what it dominates.
  void rate_front() {
    rate(0, 0, {20, 100});
    rate(0, 1, {40, 60});
    rate(0, 2, {60, 40});
    rate(0, 3, {80, 20});
    rate(0, 4, {90, 10});
    for (int i = 5; i < 12; ++i) rate(0, i, {95, 110});
  }
  std::optional<Promotion> next(int reduction, int bootstrap = 0) const {
    std::vector<Rated> rated;
    for (std::size_t i = 0; i < points_.size(); ++i)
      rated.push_back(
          {steps_[i], &points_[i], &objectives_[i], refused_.count(points_[i][0]) == 0});
    return next_promotion(rated, begun_, {reduction, bootstrap, most_});
  }

  std::vector<Point> points_;
  std::vector<Objectives> objectives_;
  std::vector<std::size_t> steps_;
  std::set<int> refused_;
  Objectives most_;
  std::vector<std::vector<Point>> begun_ = std::vector<std::vector<Point>>(3);
};

TEST_F(HalvingTest, TheBestShareGoesOnInWholeCandidates) {
  rate(0, 0, {5});
  rate(0, 1, {3});
  EXPECT_FALSE(next(3));
  rate(0, 2, {4});
  ASSERT_TRUE(next(3));
  EXPECT_EQ(next(3)->point, Point{1});
  EXPECT_EQ(next(3)->step, 1u);
  begun_[1].push_back({1});
  EXPECT_FALSE(next(3)) << "one of three has gone on";
  rate(0, 3, {1});
  rate(0, 4, {2});
  EXPECT_EQ(next(3)->point, Point{3}) << "of five one may go on: a better one than that which did";
}

TEST_F(HalvingTest, NoneGoesOnThatDoesNotKeepWhatIsRequired) {
  rate(0, 0, {1});
  rate(0, 1, {2});
  rate(0, 2, {3});
  rate(0, 3, {4});
  refused_ = {0, 2, 3};
  ASSERT_TRUE(next(2));
  EXPECT_EQ(next(2)->point, Point{1})
      << "of four two may go on, but of those that keep it one is left";
  begun_[1].push_back({1});
  EXPECT_FALSE(next(2));
}

TEST_F(HalvingTest, ALaterStepIsAskedFirst) {
  for (int i = 0; i < 6; ++i) rate(0, i, {static_cast<double>(i)});
  rate(1, 0, {2});
  rate(1, 1, {1});
  ASSERT_TRUE(next(2));
  EXPECT_EQ(next(2)->step, 2u);
  EXPECT_EQ(next(2)->point, Point{1});
  begun_[2].push_back({1});
  EXPECT_EQ(next(2)->step, 1u);
  EXPECT_EQ(next(2)->point, Point{2});
}

TEST_F(HalvingTest, NoneGoesOnBeforeEnoughHaveBegun) {
  for (int i = 0; i < 5; ++i) rate(0, i, {static_cast<double>(5 - i)});
  EXPECT_FALSE(next(2, 6));
  begun_[0].push_back({5});  // whether or not it ever ends well
  ASSERT_TRUE(next(2, 6));
  EXPECT_EQ(next(2, 6)->point, Point{4});
}

TEST_F(HalvingTest, OfOneFrontThoseThatAddTheMostHypervolumeGoOn) {
  // A front of five, of which the last two but one are close together, and one that is dominated.
  rate(0, 0, {1, 9});
  rate(0, 1, {4, 5});
  rate(0, 2, {8, 1.9});
  rate(0, 3, {8.1, 1.8});
  rate(0, 4, {9, 1});
  rate(0, 5, {9.5, 9.5});
  EXPECT_EQ(next(2)->point, Point{1});
  begun_[1].push_back({1});
  EXPECT_EQ(next(2)->point, Point{2});
  begun_[1].push_back({2});
  EXPECT_EQ(next(2)->point, Point{0});
  begun_[1].push_back({0});
  EXPECT_FALSE(next(2));
}

TEST_F(HalvingTest, WhatTheNextStepFoundSaysWhatItWillFindOfOthers) {
  rate_front();
  rate(1, 1, {40, 60});
  rate(1, 2, {60, 40});
  EXPECT_EQ(next(4)->point, Point{3}) << "the steps agree";
  objectives_.back() = {10, 40};
  EXPECT_EQ(next(4)->point, Point{4})
      << "the first step's errors say nothing, and there is no better one that is slower";
}

TEST_F(HalvingTest, TheFastEndCountsWhereErrorsComeCloseTogether) {
  rate_front();
  rate(1, 0, {10, 100});
  rate(1, 1, {12, 60});
  EXPECT_EQ(next(4)->point, Point{4});
}

TEST_F(HalvingTest, WhatIsForetoldToBeBeyondTheMostThatCountsDoesNotReachTheLastStep) {
  begun_.resize(2);
  rate_front();
  rate(1, 1, {20, 60});
  EXPECT_EQ(next(4)->point, Point{4}) << "the fast end, where any error counts";
  most_ = {35, std::numeric_limits<double>::infinity()};
  EXPECT_EQ(next(4)->point, Point{0}) << "what is beyond adds nothing";
  begun_[1].push_back({0});
  EXPECT_EQ(next(4)->point, Point{2});
  begun_[1].push_back({2});
  EXPECT_FALSE(next(2)) << "others are foretold to be beyond";
}

TEST_F(HalvingTest, NothingIsBeyondTheMostThatCountsBeforeTheLastStepHasFoundAnything) {
  begun_.resize(2);
  rate_front();
  most_ = {15, std::numeric_limits<double>::infinity()};
  ASSERT_TRUE(next(4)) << "the first step's errors are all above it";
  rate(1, 0, {10, 100});
  EXPECT_FALSE(next(4)) << "others are foretold to have 20 and more";
}

TEST_F(HalvingTest, AFrontIsOrderedByItsOwnHypervolume) {
  rate(0, 0, {1, 1});
  rate(0, 1, {2, 9});
  rate(0, 2, {4, 4});
  rate(0, 3, {9, 2});
  begun_[1].push_back({0});
  EXPECT_EQ(next(2)->point, Point{2}) << "what the first front dominates adds nothing to it";
}

}  // namespace
}  // namespace xgen::search
