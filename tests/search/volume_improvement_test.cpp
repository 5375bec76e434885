#include "search/volume_improvement.h"

#include <gtest/gtest.h>

#include "core/random.h"

namespace xgen::search {
namespace {

// The mean over values that the belief draws.
double drawn_improvement(const GaussianProcess::Belief& belief, const Objectives& known,
                         const std::vector<Objectives>& found, const Objectives& reference) {
  RandomStream random = Random(1).stream("values");
  const double before = hypervolume(found, reference);
  constexpr int kDraws = 20000;
  double sum = 0;
  for (int i = 0; i < kDraws; ++i) {
    std::vector<Objectives> all = found;
    all.push_back(known);
    all.back().push_back(belief.mean + belief.deviation * random.normal());
    sum += hypervolume(all, reference) - before;
  }
  return sum / kDraws;
}

TEST(ExpectedVolumeImprovement, IsTheMeanOfWhatIsDrawn) {
  const std::vector<Objectives> two = {{4, 1}, {2, 2}, {1, 4}};
  for (const double known : {0.5, 1.5, 2.0, 3.0, 4.5}) {
    for (const GaussianProcess::Belief& belief :
         {GaussianProcess::Belief{1.5, 1}, {2.5, 0.3}, {4.5, 2}}) {
      const double drawn = drawn_improvement(belief, {known}, two, {5, 5});
      EXPECT_NEAR(expected_volume_improvement(belief, {known}, two, {5, 5}), drawn,
                  0.01 + 0.03 * drawn)
          << known << ", " << belief.mean;
    }
  }
  const std::vector<Objectives> three = {{3, 3, 1}, {1, 3, 2}, {3, 1, 2.5}, {2, 2, 3}};
  const double drawn = drawn_improvement({2, 1}, {1.5, 1.5}, three, {4, 4, 4});
  EXPECT_NEAR(expected_volume_improvement({2, 1}, {1.5, 1.5}, three, {4, 4, 4}), drawn,
              0.03 * drawn);
}

TEST(ExpectedVolumeImprovement, IsNothingBeyondTheReference) {
  EXPECT_EQ(expected_volume_improvement({1, 1}, {6}, {{4, 1}}, {5, 5}), 0);
}

TEST(ExpectedVolumeImprovement, OfOneObjectiveIsThatOverTheBest) {
  EXPECT_EQ(expected_volume_improvement({2, 1}, {}, {{1.5}, {3}}, {5}),
            expected_improvement({2, 1}, 1.5));
}

}  // namespace
}  // namespace xgen::search
