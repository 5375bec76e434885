#include "codegen/latency/kernel_times.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "core/config_file.h"
#include "core/error.h"
#include "tests/support/temporary_folder.h"

namespace xgen::latency {
namespace {

using nlohmann::json;

class KernelTimes : public testing::Test {
 protected:
  std::filesystem::path measurements(const std::string& name, const json& times) const {
    const std::filesystem::path file = folder_.path() / name;
    std::ofstream(file) << json{
        {"format", "xgen measurements 1"},
        {"target", "x86_64"},
        {"layers_us", times}}.dump();
    return file;
  }
  json kept() const { return load_config_json(file_).at("layers_us"); }

  test::TemporaryFolder folder_;
  std::filesystem::path file_ = folder_.path() / "kernels/host.json";
};

TEST_F(KernelTimes, OfSeveralRunsComeTogetherAndTheFirstStay) {
  const std::string a = "conv 8->8 3x3 | dense", b = "conv 8->8 3x3 | block g4";
  EXPECT_EQ(keep_kernel_times(measurements("1.json", {{a, 1.5}, {"ship network x min", 9}}), file_),
            1u);
  EXPECT_EQ(kept(), json({{a, 1.5}})) << "what speaks of one network is of no use to others";
  EXPECT_EQ(keep_kernel_times(measurements("2.json", {{a, 2.5}, {b, 3}}), file_), 1u);
  EXPECT_EQ(kept(), json({{a, 1.5}, {b, 3}}));
  EXPECT_EQ(keep_kernel_times(measurements("2.json", {{a, 2.5}, {b, 3}}), file_), 0u);
}

TEST_F(KernelTimes, AreKeptAtTheSpeedOfTheFirstRun) {
  const std::string a = "conv 8->8 3x3 | dense", b = "conv 8->8 3x3 | block g4";
  const auto at_speed = [&](const std::string& name, double reference_us, const json& times) {
    const std::filesystem::path file = measurements(name, times);
    json all = load_config_json(file);
    all["reference_us"] = reference_us;
    std::ofstream(file) << all.dump();
    return file;
  };
  keep_kernel_times(at_speed("1.json", 100, {{a, 4}}), file_);
  keep_kernel_times(at_speed("2.json", 200, {{b, 4}}), file_);
  EXPECT_EQ(kept(), json({{a, 4}, {b, 2.0}})) << "the machine was half as fast";
  EXPECT_EQ(load_config_json(file_).at("reference_us"), 100);
}

TEST_F(KernelTimes, OfProcessesAtOnceAreAllKept) {
  std::vector<pid_t> children;
  for (int child = 0; child < 4; ++child) {
    const pid_t pid = fork();
    if (pid == 0) {
      for (int i = 0; i < 20; ++i) {
        keep_kernel_times(
            measurements(str(child, ".json"), {{str("conv ", child, " ", i, " | dense"), 1}}),
            file_);
      }
      _exit(0);
    }
    children.push_back(pid);
  }
  for (const pid_t pid : children) {
    int status = 0;
    waitpid(pid, &status, 0);
    EXPECT_EQ(status, 0);
  }
  EXPECT_EQ(kept().size(), 80u);
}

TEST(KernelTimesFile, LiesBesideTheTablesOfThePlatform) {
  const std::filesystem::path file = kernel_times_file({"x86_64", "x86-avx2", "cpu", "gcc 12"});
  EXPECT_EQ(file.parent_path().filename(), "kernels");
  EXPECT_NE(file.filename().string().find("gcc_12"), std::string::npos) << file;
}

}  // namespace
}  // namespace xgen::latency
