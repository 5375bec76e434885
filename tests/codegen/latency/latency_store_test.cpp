#include "codegen/latency/latency_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "codegen/compile.h"
#include "codegen/latency/single_layer.h"
#include "codegen/lower/lower.h"
#include "codegen/targets.h"
#include "core/error.h"

namespace xgen {
namespace {

namespace fs = std::filesystem;

LayerShape small_layer() {
  LayerShape s;
  s.c_in = s.c_out = 16;
  s.kernel_h = s.kernel_w = 3;
  s.height = s.width = 8;
  s.pad_top = s.pad_left = s.pad_bottom = s.pad_right = 1;
  return s;
}

LayerVariant quarter() { return {Sparsity::Scheme::pattern, 8, 1, 4, 0.5}; }

class LatencyStoreTest : public ::testing::Test {
 protected:
  LatencyStoreTest() { fs::remove_all(folder_), fs::create_directories(folder_); }
  ~LatencyStoreTest() override { fs::remove_all(folder_); }

  std::string message_of(const std::string& text) {
    std::ofstream(file_) << text;
    try {
      LatencyStore latency(find_target("host"), file_);
    } catch (const UserError& error) {
      return std::string(error.what()).substr(file_.string().size());
    }
    return "accepted";
  }

  const fs::path folder_ = fs::temp_directory_path() / "xgen-latency-store-test";
  const fs::path file_ = folder_ / "measurements.json";
};

TEST_F(LatencyStoreTest, StoresWhatItMeasuresAndReadsItBack) {
  double dense = 0;
  {
    LatencyStore latency(find_target("host"), file_);
    EXPECT_FALSE(latency.knows(small_layer(), {}));
    latency.find({{small_layer(), {}}, {small_layer(), quarter()}});
    dense = latency.latency_us(small_layer(), {});
    EXPECT_GT(dense, 0);
    latency.remember({{"whole", 12.5}});
  }
  const LatencyStore again(find_target("host"), file_);
  EXPECT_EQ(again.latency_us(small_layer(), {}), dense);
  EXPECT_TRUE(again.knows(small_layer(), quarter()));
  EXPECT_EQ(again.recall("whole"), 12.5);
  EXPECT_EQ(again.recall("another"), std::nullopt);
}

TEST_F(LatencyStoreTest, DoesNotMeasureWhatIsGiven) {
  std::ofstream(file_) << R"({"format": "xgen measurements 1", "target": "x86_64", "layers_us": {")"
                       << to_string(small_layer()) << R"( | dense": 99.5}})";
  LatencyStore latency(find_target("x86_64"), folder_ / "own.json");
  latency.give(file_);
  latency.find({{small_layer(), {}}});
  EXPECT_EQ(latency.latency_us(small_layer(), {}), 99.5);
  EXPECT_TRUE(fs::exists(folder_ / "own.json"));
}

// As if the machine had been ten times as slow when the file was begun.
TEST_F(LatencyStoreTest, MeasuresAtTheSpeedOfWhatItKnows) {
  const Program network =
      lower::lower(latency::single_layer(small_layer(), {}), lowering_for(find_target("host")));
  double layer = 0, whole = 0;
  {
    LatencyStore latency(find_target("host"), file_);
    latency.find({{small_layer(), {}}});
    layer = latency.latency_us(small_layer(), {});
    whole = latency.network_us("whole", network);
  }
  nlohmann::json json = nlohmann::json::parse(std::ifstream(file_));
  json["reference_us"] = 10 * json.at("reference_us").get<double>();
  json["layers_us"] = {{"another", 2}};
  std::ofstream(file_) << json.dump();
  LatencyStore slow(find_target("host"), file_);
  slow.find({{small_layer(), {}}});
  EXPECT_GT(slow.latency_us(small_layer(), {}), 3 * layer);
  EXPECT_GT(slow.network_us("whole", network), 3 * whole);
  EXPECT_EQ(slow.recall("another"), 2);
  // What is given is of another speed.
  LatencyStore own(find_target("host"), folder_ / "own.json");
  own.find({{small_layer(), {}}});
  own.give(file_);
  EXPECT_LT(*own.recall("another"), 1);
}

TEST_F(LatencyStoreTest, RefusesFilesOfAnotherKind) {
  EXPECT_EQ(message_of("[]"),
            ": expected measurements of layers (\"format\": \"xgen measurements 1\")");
  EXPECT_EQ(message_of(R"({"format": "xgen measurements 1", "target": "z80", "layers_us": {}})"),
            ": /target: expected \"x86_64\", got \"z80\"");
  EXPECT_EQ(message_of(
                R"({"format": "xgen measurements 1", "target": "x86_64", "layers_us": {"a": -1}})"),
            ": /layers_us/a: expected microseconds above 0, got -1");
  EXPECT_EQ(message_of(R"({"format": "xgen measurements 1", "target": "x86_64", "layers_us": {},
                          "reference_us": "fast"})"),
            ": /reference_us: expected microseconds, got \"fast\"");
}

TEST_F(LatencyStoreTest, PredictsForATargetThatDoesNotRunHere) {
  const Target foreign = find_target(find_target("host").arch == "aarch64" ? "x86_64" : "aarch64");
  {
    LatencyStore latency(foreign, file_);
    EXPECT_FALSE(latency.measures());
    latency.find({{small_layer(), {}}, {small_layer(), quarter()}});
    EXPECT_GT(latency.latency_us(small_layer(), {}), latency.latency_us(small_layer(), quarter()));
    EXPECT_THAT(latency.source(), ::testing::HasSubstr("estimated from the description of "));
  }
  const LatencyStore again(foreign, file_);
  EXPECT_TRUE(again.knows(small_layer(), quarter()));
  EXPECT_THAT(again.source(), ::testing::HasSubstr("estimated"));
}

TEST_F(LatencyStoreTest, PredictsByTheTableThatIsGiven) {
  const Target foreign = find_target(find_target("host").arch == "aarch64" ? "x86_64" : "aarch64");
  LatencyStore latency(foreign, file_);
  EXPECT_THROW(latency.predict_by({{"z80", "scalar", "", ""}, {}}), UserError);
  const latency::FittedLatency estimate({{foreign.name, foreign.kernels.back(), "", ""}, {}},
                                        foreign);
  const Program program =
      lower::lower(latency::single_layer(small_layer(), {}), lowering_for(foreign));
  const auto step = static_cast<std::size_t>(latency::layer_step(program));
  const latency::Work work = latency::work_of(program, program.steps[step],
                                              latency::machine_of(foreign, foreign.kernels.back()));
  latency.predict_by({{foreign.name, foreign.kernels.back(), "a board", ""}, {{work, 1234}}});
  latency.find({{small_layer(), {}}});
  EXPECT_NEAR(latency.latency_us(small_layer(), {}), 1234, 1);
  EXPECT_NE(estimate.latency_us(small_layer(), {}), 1234);
  EXPECT_THAT(latency.source(), ::testing::HasSubstr("predicted by a table of a board"));
}

TEST(Targets, UnknownNameListsTheKnownOnes) {
  try {
    find_target("z80");
    FAIL();
  } catch (const UserError& error) {
    EXPECT_STREQ(error.what(),
                 "unknown target \"z80\"; known targets: host, aarch64, x86_64, or a JSON file");
  }
}

}  // namespace
}  // namespace xgen
