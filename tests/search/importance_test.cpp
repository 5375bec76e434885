#include "search/importance.h"

#include <gtest/gtest.h>

#include <numeric>

#include "core/random.h"

namespace xgen::search {
namespace {

Space space_of(const std::vector<int>& choices) {
  Space space;
  for (const int count : choices) {
    Parameter& p = space.parameters.emplace_back();
    p.choices.resize(static_cast<std::size_t>(count), "x");
  }
  return space;
}

TEST(Importance, OfTheParameterThatDecidesIsNearlyAll) {
  const Space space = space_of({4, 4, 4, 4, 4});
  RandomStream random = Random(3).stream("trials");
  std::vector<Point> points;
  std::vector<double> values;
  for (int i = 0; i < 1000; ++i) {
    points.push_back(space.sample(random));
    values.push_back(10.0 * points.back()[2] + 0.01 * static_cast<double>(random.integer(0, 99)));
  }
  const std::vector<double> shares = importance(space, points, values);
  ASSERT_EQ(shares.size(), 5u);
  EXPECT_GT(shares[2], 0.85);
  EXPECT_NEAR(std::accumulate(shares.begin(), shares.end(), 0.0), 1, 1e-12);
}

// What optuna.importance.PedAnovaImportanceEvaluator of Optuna 5.0 gives for categorical parameters
// of the same trials, divided by its sum.
TEST(Importance, IsThatOfOptuna) {
  for (const auto& [count, expected] : std::vector<std::pair<int, std::vector<double>>>{
           {3, {0.009602194787340337, 0.00331313131311812, 0.001136686558679066}},
           {40, {0.0021333333333248003, 0.0011138654960878966, 0.0007256757722246052}},
           {57, {0.0027938076981196694, 0.0017092117723159315, 1.18589375426088e-06}}}) {
    std::vector<Point> points;
    std::vector<double> values;
    for (int i = 0; i < count; ++i) {
      points.push_back({(i * 7 + 3) % 4, (i * i + i / 4) % 3, (i * 5 / 3) % 2});
      values.push_back(10 * points.back()[0] + points.back()[1] + 0.01 * ((i * 37) % count));
    }
    const std::vector<double> shares = importance(space_of({4, 3, 2}), points, values);
    const double sum = std::accumulate(expected.begin(), expected.end(), 0.0);
    for (std::size_t k = 0; k < expected.size(); ++k)
      EXPECT_NEAR(shares[k], expected[k] / sum, 1e-9) << count << " trials, parameter " << k;
  }
}

TEST(Importance, IsEqualWhereNothingTellsParametersApart) {
  const Space space = space_of({2, 1, 3});
  const std::vector<double> equal = {0.5, 0, 0.5};
  EXPECT_EQ(importance(space, {}, {}), equal);
  EXPECT_EQ(importance(space, {{0, 0, 0}, {1, 0, 2}}, {5, 5}), equal);
  EXPECT_EQ(importance(space_of({1}), {{0}, {0}}, {1, 2}), std::vector<double>{0});
}

}  // namespace
}  // namespace xgen::search
