#include "codegen/latency/table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "codegen/latency/static_estimate.h"
#include "codegen/latency/tables.h"
#include "codegen/targets.h"
#include "core/random.h"
#include "tests/codegen/latency/count.h"
#include "tests/codegen/latency/difference_of_fits.h"
#include "tests/codegen/latency/map_work.h"
#include "tests/support/message.h"
#include "tests/support/temporary_folder.h"

namespace xgen::latency {
namespace {

using ::testing::HasSubstr;

Machine machine() { return machine_of(find_target("x86_64"), "x86-avx512-vnni"); }

/// Times of maps that take 0.05 us a call and 2 ns a vector.
std::vector<Sample> samples(int count, double noise = 0) {
  std::vector<Sample> result;
  RandomStream random = Random(2).stream("table");
  for (int i = 0; i < count; ++i) {
    const double vectors = std::floor(1 + 1000 * random.uniform());
    const double factor = 1 + noise * (2 * random.uniform() - 1);
    result.push_back({map_work(vectors), (0.05 + 0.002 * vectors) * factor});
  }
  return result;
}

Platform platform() { return {"x86_64", "x86-avx512-vnni", "a CPU", "cc 1"}; }

TEST(LatencyTable, PredictsWhatItWasFittedTo) {
  const LatencyTable table(platform(), samples(50));
  const Prediction p = table.predict(map_work(500), machine());
  EXPECT_NEAR(p.us, 1.05, 1e-3);
  EXPECT_FALSE(p.extrapolated);
  EXPECT_TRUE(table.predict(map_work(5000), machine()).extrapolated);
}

TEST(LatencyTable, IntervalHoldsTheErrorOfSamplesLeftOut) {
  const LatencyTable table(platform(), samples(200, 0.1));
  const Prediction p = table.predict(map_work(500), machine());
  EXPECT_NEAR(p.us, 1.05, 0.02);
  EXPECT_NEAR((p.high_us - p.us) / p.us, 0.1, 0.03);
  EXPECT_NEAR((p.us - p.low_us) / p.us, 0.1, 0.03);
}

TEST(LatencyTable, ScalesTheStaticEstimateToFewSamples) {
  const Work one = map_work(500), other = map_work(40);
  const LatencyTable nothing(platform(), {}), table(platform(), {{one, 30}});
  const double factor = 30 / nothing.predict(one, machine()).us;
  EXPECT_NEAR(table.predict(other, machine()).us, factor * nothing.predict(other, machine()).us,
              1e-9);
  EXPECT_NEAR(table.predict(one, machine()).us, 30, 1e-9);
}

TEST(LatencyTable, EstimatesKernelsThatWereNeverMeasured) {
  const LatencyTable table(platform(), {});
  const Prediction p = table.predict(map_work(500), machine());
  EXPECT_GT(p.us, 0);
  EXPECT_TRUE(p.extrapolated);
  EXPECT_NEAR(p.high_us, p.us * (1 + kStaticError), 1e-12);
}

TEST(LatencyTable, ReadsBackWhatItWrote) {
  const test::TemporaryFolder folder;
  const Measurement measurement{3, 12.5, Caches{1024, 2048, 4096, 1500}};
  const LatencyTable table(platform(), samples(30), measurement);
  table.save(folder / "t.json");
  const LatencyTable again = LatencyTable::load(folder / "t.json");
  EXPECT_EQ(again.platform(), platform());
  EXPECT_EQ(again.samples().size(), 30U);
  EXPECT_EQ(again.measurement(), measurement);
  EXPECT_EQ(again.machine(find_target("x86_64")).caches, *measurement.caches);
  const Work work = map_work(77);
  EXPECT_NEAR(again.predict(work, machine()).us, table.predict(work, machine()).us, 1e-3);
}

TEST(LatencyTable, IsReadAsItWasFittedAndFittedAgainAlike) {
  const test::TemporaryFolder folder;
  LatencyTable(platform(), samples(40, 0.1)).save(folder / "t.json");
  const LatencyTable read = LatencyTable::load(folder / "t.json");
  EXPECT_EQ(test::difference_of_fits(read, {read.platform(), read.samples()}), "");
  // What is stored is what counts: another factor in the file is another prediction.
  nlohmann::json file = nlohmann::json::parse(test::contents(folder / "t.json"));
  nlohmann::json& factor =
      file["fits"]["map_f32"]["us_per_count"][place_of_count("map_f32", "vectors")];
  factor = 2 * factor.get<double>();
  const LatencyTable other = LatencyTable::load(folder.put("other.json", file.dump()));
  EXPECT_GT(other.predict(map_work(500)), 1.9 * read.predict(map_work(500)));
  EXPECT_THAT(test::difference_of_fits(other, {other.platform(), other.samples()}),
              HasSubstr("map_f32: predicts "));
}

TEST(LatencyTable, PredictsAlikeWithoutItsSamples) {
  const test::TemporaryFolder folder;
  const LatencyTable table(platform(), samples(40, 0.1));
  table.save_fits(folder / "t.json");
  const LatencyTable read = LatencyTable::load(folder / "t.json");
  EXPECT_TRUE(read.samples().empty());
  EXPECT_EQ(read.fits().at("map_f32").samples, 40U);
  const Prediction expected = table.predict(map_work(500), machine()),
                   p = read.predict(map_work(500), machine());
  EXPECT_EQ(p.us, expected.us);
  EXPECT_EQ(p.high_us, expected.high_us);
  EXPECT_TRUE(read.predict(map_work(5000), machine()).extrapolated);
}

TEST(LatencyTable, IsOfOneTarget) {
  const test::TemporaryFolder folder;
  LatencyTable(platform(), samples(30)).save(folder / "t.json");
  EXPECT_EQ(load_table(folder / "t.json", find_target("x86_64")).samples().size(), 30U);
  const auto message = [&](const Platform& of) {
    LatencyTable(of, {}).save(folder / "t.json");
    return test::message_of([&] { load_table(folder / "t.json", find_target("x86_64")); },
                            (folder / "t.json").string());
  };
  EXPECT_EQ(message({"aarch64", "arm-neon", "a board", "cc 1"}),
            "F: /target: expected \"x86_64\", got \"aarch64\"");
  EXPECT_EQ(message({"x86_64", "arm-neon", "a board", "cc 1"}),
            "F: /kernels: expected one of target \"x86_64\" (scalar, x86-avx2, x86-avx512, "
            "x86-avx512-vnni), got \"arm-neon\"");
}

TEST(LatencyTable, SaysWhatIsWrongWithAFile) {
  const test::TemporaryFolder folder;
  const auto message = [&](const std::string& text) {
    const auto file = folder.put("t.json", text);
    return test::message_of([&] { LatencyTable::load(file); }, file.string());
  };
  EXPECT_EQ(message("{\"format\": \"xgen measurements 1\"}"),
            "F: expected a latency table (\"format\": \"xgen latency 4\"), got \"xgen measurements "
            "1\"; build it again");
  EXPECT_EQ(message(R"({"format": 1, "fits": {}})"),
            "F: expected a latency table (\"format\": \"xgen latency 4\")");
  EXPECT_EQ(message("[]"), "F: expected a latency table (\"format\": \"xgen latency 4\")");
  EXPECT_EQ(message(R"({"format": "xgen latency 4", "kernels": "scalar", "cpu": 3, "fits": {}})"),
            "F: /cpu: expected a name, got 3");
  EXPECT_EQ(message(R"({"format": "xgen latency 4", "kernels": "scalar", "batches": 1,
                        "reference_us": "fast", "fits": {}})"),
            "F: /reference_us: expected a number from 0 on, got \"fast\"");
  const auto with_fits = [&](const std::string& fits, const std::string& more = "") {
    return message(str(R"({"format": "xgen latency 4", "kernels": "scalar", "batches": 1,
                           "reference_us": 1, "fits": {)",
                       fits, "}", more, "}"));
  };
  EXPECT_THAT(with_fits(R"("map_f32": {"features": ["calls"]})"),
              HasSubstr("F: /fits/map_f32/features: expected [\"calls\",\"call_l2_lines\""));
  EXPECT_EQ(with_fits(R"("map_f64": {})"),
            "F: /fits/map_f64: expected the fit of a kernel of this version");
  EXPECT_EQ(message(R"({"format": "xgen latency 4", "kernels": "mmx", "fits": {}})"),
            "F: /kernels: expected an instruction set of `xgen-train targets`, got \"mmx\"");
  const std::vector<std::string>& names = work_names("map_f32");
  nlohmann::json fit = {{"features", names},
                        {"us_per_count", std::vector<double>(names.size(), 0.5)},
                        {"highest", std::vector<double>(names.size(), 1)},
                        {"calls", 1},
                        {"median_error", 0.1},
                        {"p95_error", 0.2},
                        {"hit_rate", 0.5}};
  const auto with_fit = [&](const std::string& more = "") {
    return with_fits("\"map_f32\": " + fit.dump(), more);
  };
  std::vector<int> sample(1 + names.size(), 1);
  sample[0] = 0;
  EXPECT_EQ(with_fit(str(R"(, "samples": {"map_f32": [)", nlohmann::json(sample).dump(), "]}")),
            "F: /samples/map_f32/0/0: expected microseconds above 0, got 0");
  EXPECT_EQ(with_fit(R"(, "samples": {"map_f32": [[1, 1, 1]]})"),
            str("F: /samples/map_f32/0: expected ", sample.size(),
                " numbers from 0 to 1e+15, got [1,1,1]"));
  EXPECT_EQ(with_fit(R"(, "cache_bytes": [32768, 1048576])"),
            "F: /cache_bytes: expected 3 numbers from 0 to 1e+15, got [32768,1048576]");
  EXPECT_EQ(with_fit(R"(, "cache_bytes": [1, 2, 3], "l3_turnover_us": -1)"),
            "F: /l3_turnover_us: expected a number from 0 on, got -1");
  EXPECT_EQ(with_fit(R"(, "cache_bytes": [32768, 1048576, 1024])"),
            "F: /cache_bytes: expected bytes of three cache levels, each at least that of the one "
            "before, got [32768,1048576,1024]");
  EXPECT_EQ(with_fit(R"(, "samples": {"map_i8": []})"),
            "F: /samples/map_i8: expected the calls of a kernel in /fits");
  fit["p95_error"] = -1;
  EXPECT_EQ(with_fit(), "F: /fits/map_f32/p95_error: expected a number from 0 on, got -1");
  fit["us_per_count"] = {-1};
  EXPECT_EQ(with_fit(), str("F: /fits/map_f32/us_per_count: expected ", names.size(),
                            " numbers from 0 to 1e+15, got [-1]"));
}

}  // namespace
}  // namespace xgen::latency
