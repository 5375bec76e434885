#include "quantize/observer.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace xgen::quantize {
namespace {

std::vector<float> normal(int count, float mean, unsigned seed = 1) {
  std::mt19937 random(seed);
  std::normal_distribution<float> distribution(mean);
  std::vector<float> values(static_cast<std::size_t>(count));
  for (float& v : values) v = distribution(random);
  return values;
}

Observer observed(const std::vector<float>& values) {
  Observer observer;
  observer.observe(values);
  return observer;
}

double squared_error(const std::vector<float>& values, const ActivationRange& range) {
  const ir::QuantParams params = params_of(range);
  double error = 0;
  for (const float v : values) {
    const float q = std::min(255.0F, std::max(0.0F, std::nearbyint(v / params.scale[0]) +
                                                        static_cast<float>(params.zero_point[0])));
    error += std::pow(v - (q - static_cast<float>(params.zero_point[0])) * params.scale[0], 2);
  }
  return error;
}

TEST(Observer, AlwaysIncludesZero) {
  EXPECT_EQ(observed({3, 5}).min_max(), (ActivationRange{0, 5}));
  EXPECT_EQ(observed({-3, -5}).min_max(), (ActivationRange{-5, 0}));
  for (const char* name : {"min_max", "percentile", "mse"}) {
    QuantizeConfig config;
    config.observer = name;
    const ActivationRange range = observed({3, 4, 5}).range(config);
    EXPECT_EQ(range.low, 0) << name;
    EXPECT_GT(range.high, 4) << name;
  }
}

TEST(Observer, TakesConstantTensors) {
  Observer zeros = observed({0, 0, 0});
  for (const ActivationRange& range :
       {zeros.min_max(), zeros.percentile(99), zeros.least_squared_error()}) {
    EXPECT_EQ(range, ActivationRange{});
  }
  EXPECT_EQ(params_of({}).scale[0], 1);
  zeros.observe(std::vector<float>{2, 2});
  EXPECT_NEAR(zeros.least_squared_error().high, 2, 1e-6);
  EXPECT_NEAR(zeros.percentile(100).high, 2, 1e-6);
}

TEST(Observer, PercentileCutsBothTailsAlike) {
  std::vector<float> values;
  for (int i = 0; i < 10000; ++i) values.push_back(static_cast<float>(i) / 10000 - 0.5F);
  const ActivationRange range = observed(values).percentile(90);
  EXPECT_NEAR(range.low, -0.45, 1e-3);
  EXPECT_NEAR(range.high, 0.45, 1e-3);
}

TEST(Observer, PercentileIgnoresRareOutliers) {
  std::vector<float> values = normal(100000, 0);
  values.push_back(1000);
  EXPECT_EQ(observed(values).min_max().high, 1000);
  EXPECT_LT(observed(values).percentile(99.9).high, 5);
}

TEST(Observer, LeastSquaredErrorIsNearTheBestOfAllClips) {
  for (const float mean : {0.0F, 2.0F}) {
    std::vector<float> values = normal(20000, mean);
    values.push_back(30);
    const Observer observer = observed(values);
    const double found = squared_error(values, observer.least_squared_error());
    const ActivationRange all = observer.min_max();
    double best = squared_error(values, all);
    for (int low = 1; low <= 40; ++low) {
      for (int high = 1; high <= 40; ++high) {
        best = std::min(best, squared_error(values, {all.low * static_cast<float>(low) / 40,
                                                     all.high * static_cast<float>(high) / 40}));
      }
    }
    EXPECT_LT(found, 1.05 * best);
    EXPECT_LT(found, squared_error(values, all));
  }
}

TEST(Observer, SeesTheSameWhateverTheBatches) {
  const std::vector<float> values = normal(5000, 0);
  Observer whole = observed(values);
  Observer parts;  // small values first, so that the histogram must double on both sides
  parts.observe(std::vector<float>{0.001F});
  for (std::size_t i = 0; i < values.size(); i += 100) {
    parts.observe(std::span(values).subspan(i, 100));
  }
  EXPECT_EQ(parts.min_max(), whole.min_max());
  EXPECT_EQ(parts.count(), 5001);
  EXPECT_NEAR(parts.percentile(99).high, whole.percentile(99).high, 0.02);
  EXPECT_NEAR(parts.percentile(99).low, whole.percentile(99).low, 0.02);
}

TEST(ParamsOf, RepresentsZeroExactly) {
  const ir::QuantParams params = params_of({-1, 3});
  EXPECT_EQ(params.scale[0], static_cast<float>(4.0 / 255));
  EXPECT_EQ(params.zero_point[0], 64);
  EXPECT_EQ(params_of({-2, 0}).zero_point[0], 255);
  EXPECT_EQ(params_of({0, 2}).zero_point[0], 0);
  EXPECT_GT(params_of({0, 1e-44F}).scale[0], 0);
}

}  // namespace
}  // namespace xgen::quantize
