#include "codegen/latency/measured_latency.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

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

class MeasuredLatencyTest : public ::testing::Test {
 protected:
  MeasuredLatencyTest() { fs::remove_all(folder_), fs::create_directories(folder_); }
  ~MeasuredLatencyTest() override { fs::remove_all(folder_); }

  std::string message_of(const std::string& text) {
    std::ofstream(file_) << text;
    try {
      MeasuredLatency latency(find_target("host"), file_);
    } catch (const UserError& error) {
      return std::string(error.what()).substr(file_.string().size());
    }
    return "accepted";
  }

  const fs::path folder_ = fs::temp_directory_path() / "xgen-measured-latency-test";
  const fs::path file_ = folder_ / "measurements.json";
};

TEST_F(MeasuredLatencyTest, StoresWhatItMeasuresAndReadsItBack) {
  double dense = 0;
  {
    MeasuredLatency latency(find_target("host"), file_);
    EXPECT_FALSE(latency.knows(small_layer(), {}));
    latency.measure({{small_layer(), {}}, {small_layer(), quarter()}});
    dense = latency.latency_us(small_layer(), {});
    EXPECT_GT(dense, 0);
    latency.remember({{"whole", 12.5}});
  }
  const MeasuredLatency again(find_target("host"), file_);
  EXPECT_EQ(again.latency_us(small_layer(), {}), dense);
  EXPECT_TRUE(again.knows(small_layer(), quarter()));
  EXPECT_EQ(again.recall("whole"), 12.5);
  EXPECT_EQ(again.recall("another"), std::nullopt);
}

TEST_F(MeasuredLatencyTest, DoesNotMeasureWhatIsGiven) {
  std::ofstream(file_) << R"({"format": "xgen measurements 1", "target": "x86_64", "layers_us": {")"
                       << to_string(small_layer()) << R"( | dense": 99.5}})";
  MeasuredLatency latency(find_target("x86_64"), folder_ / "own.json");
  latency.give(file_);
  latency.measure({{small_layer(), {}}});
  EXPECT_EQ(latency.latency_us(small_layer(), {}), 99.5);
  EXPECT_TRUE(fs::exists(folder_ / "own.json"));
}

TEST_F(MeasuredLatencyTest, RefusesFilesOfAnotherKind) {
  EXPECT_EQ(message_of("[]"),
            ": expected measurements of layers (\"format\": \"xgen measurements 1\")");
  EXPECT_EQ(message_of(R"({"format": "xgen measurements 1", "target": "z80", "layers_us": {}})"),
            ": /target: expected \"x86_64\", got \"z80\"");
  EXPECT_EQ(message_of(
                R"({"format": "xgen measurements 1", "target": "x86_64", "layers_us": {"a": -1}})"),
            ": /layers_us/a: expected microseconds above 0, got -1");
}

TEST_F(MeasuredLatencyTest, SaysThatAForeignTargetCannotBeMeasured) {
  MeasuredLatency latency(find_target(find_target("host").arch == "aarch64" ? "x86_64" : "aarch64"),
                          file_);
  EXPECT_THROW(latency.measure({{small_layer(), {}}}), UserError);
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
