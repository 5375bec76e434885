#include "quantize/ranges.h"

#include <gtest/gtest.h>

namespace xgen::quantize {
namespace {

TEST(CollectRanges, TakesTheWantedNumberOfSamples) {
  QuantizeConfig config;
  config.observer = "min_max";
  config.calibration_samples = 5;
  int batches = 0;
  const auto next = [&]() -> torch::Tensor {
    const int first = 3 * batches++;
    return torch::arange(first, first + 3, torch::kFloat32).view({3, 1});
  };
  const auto values_of = [](const torch::Tensor& batch, const std::vector<std::string>& names) {
    std::map<std::string, torch::Tensor> values;
    for (const std::string& name : names) values[name] = name == "twice" ? batch * 2 : batch;
    return values;
  };
  const auto ranges = collect_ranges(values_of, next, {"once", "twice"}, config);
  EXPECT_EQ(ranges.at("once"), (ActivationRange{0, 4}));  // samples 0..4
  EXPECT_EQ(ranges.at("twice"), (ActivationRange{0, 8}));
  EXPECT_EQ(batches, 2);
}

TEST(RangeCollector, NamesAValueThatIsNotFinite) {
  RangeCollector collector({"h"});
  try {
    collector.observe({{"h", torch::tensor({1.0F, std::nanf("")})}});
    FAIL();
  } catch (const UserError& error) {
    EXPECT_STREQ(error.what(),
                 "value \"h\" is not finite on calibration data: it cannot be quantized");
  }
}

}  // namespace
}  // namespace xgen::quantize
