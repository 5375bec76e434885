#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "core/sha256.h"
#include "tests/support/process.h"

namespace xgen::cli {

namespace fs = std::filesystem;
using nlohmann::json;
using test::Outcome;
using test::Process;

inline std::string text_of(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

/// Runs of the program on the optical digits, few epochs, each test in a folder of its own.
class RunFixture : public ::testing::Test {
 protected:
  RunFixture()
      : folder_(fs::temp_directory_path() / ("xgen-run-test-" + std::to_string(getpid()))) {
    fs::remove_all(folder_);
    fs::create_directories(folder_);
    config_ = json::parse(text_of(XGEN_SOURCE_DIR "/configs/digits.json"));
    config_["data"]["path"] = XGEN_SOURCE_DIR "/configs/data/digits.csv.gz";
    config_["threads"] = 1;
    config_["stages"][0]["epochs"] = 4;
    config_["stages"][1]["algorithm"]["epochs"] = 2;
    config_["stages"][1]["fine_tune"]["epochs"] = 4;
    config_["stages"][2]["qat"]["epochs"] = 2;
    config_["requirements"] = json::object();
    config_["latency_build_minutes"] = 0;
    config_["training"]["checkpoint_every_steps"] = 7;
  }
  ~RunFixture() override { fs::remove_all(folder_); }

  std::vector<std::string> command(const std::string& output,
                                   const std::vector<std::string>& more = {}) {
    const fs::path file = folder_ / "config.json";
    std::ofstream(file) << config_.dump(1);
    std::vector<std::string> all{XGEN_TRAIN, "run", file.string(), "--output",
                                 (folder_ / output).string()};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  Outcome run(const std::string& output, const std::vector<std::string>& more = {},
              const std::vector<std::string>& environment = {}) {
    return Process(command(output, more), folder_ / "streams", environment).wait();
  }
  // A run that is given the times of another one, but masks pay: kernels of a few microseconds lose
  // against their dense twins by chance.
  Outcome run_where_masks_pay(const std::string& output,
                              const std::vector<std::string>& more = {}) {
    const Outcome before = run("before " + output, more);
    if (before.code != 0) return before;
    const fs::path measured = folder_ / ("before " + output) / "measurements.json";
    json times = json::parse(text_of(measured));
    for (auto& [name, us] : times["layers_us"].items()) {
      int in = 0, out = 0;  // of a layer alone: "conv 16->32 ... | dense"
      if (std::sscanf(name.c_str(), "%*s %d->%d", &in, &out) == 2)
        us = (name.ends_with("| dense") ? 2 : 1) * in * out;
      else if (name.find(" network ") == std::string::npos)
        us = name.find(" dense ") != std::string::npos ? 2 : 1;
    }
    std::ofstream(measured) << times.dump();
    std::vector<std::string> all{"--measurements", measured.string()};
    all.insert(all.end(), more.begin(), more.end());
    return run(output, all);
  }
  // Leaves the first stages of the config.
  void keep_stages(std::ptrdiff_t count) {
    config_["stages"].erase(config_["stages"].begin() + count, config_["stages"].end());
  }
  // Lets a run go on until it has written a file.
  bool wait_for(Process& process, const fs::path& file) {
    for (int i = 0; i < 600 && process.is_running() && !fs::exists(file); ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    return fs::exists(file);
  }
  // What a run ends with: its weights, its masks and its kernels.
  std::string result_hash(const std::string& output) {
    return sha256_hex(text_of(folder_ / output / "model.onnx") +
                      text_of(folder_ / output / "bundle" / "weights.bin"));
  }
  json report(const std::string& output) {
    return json::parse(text_of(folder_ / output / "report.json"));
  }

  fs::path folder_;
  json config_;
};

}  // namespace xgen::cli
