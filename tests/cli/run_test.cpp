#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "core/sha256.h"
#include "tests/support/command.h"
#include "tests/support/jpeg.h"
#include "tests/support/process.h"

/// Whole runs on the optical digits, few epochs, by the program itself.
namespace xgen::cli {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using test::Outcome;
using test::Process;
using ::testing::HasSubstr;

std::string text_of(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

class Run : public ::testing::Test {
 protected:
  Run() : folder_(fs::temp_directory_path() / ("xgen-run-test-" + std::to_string(getpid()))) {
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
  ~Run() override { fs::remove_all(folder_); }

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
  // Gives the run a target of which no table is committed, and a user without tables.
  // @return  the environment.
  std::vector<std::string> without_tables() {
    json target = json::parse(text_of(XGEN_SOURCE_DIR "/codegen/targets/x86_64.json"));
    target["name"] = "x86_64-of-a-test";
    std::ofstream(folder_ / "target.json") << target;
    config_["target"] = (folder_ / "target.json").string();
    return {"XDG_DATA_HOME=" + (folder_ / "data").string()};
  }
  // Files in that user's place.
  std::vector<std::string> tables() {
    std::vector<std::string> names;
    std::error_code none;
    for (const auto& entry : fs::directory_iterator(folder_ / "data/xgen/latency", none))
      names.push_back(entry.path().filename().string());
    return names;
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

TEST_F(Run, LeavesABundleAModelAndAReport) {
  const Outcome outcome = run("a", {"--json"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const json printed = json::parse(outcome.out);
  EXPECT_EQ(printed, report("a"));
  for (const char* file : {"config.json", "manifest.json", "measurements.json", "log.jsonl",
                           "model.onnx", "report.html", "bundle/model.c", "bundle/weights.bin",
                           "bundle/selftest.c", "bundle/manifest.json"}) {
    EXPECT_TRUE(fs::exists(folder_ / "a" / file)) << file;
  }
  const json& ship = printed["stages"].back();
  ASSERT_EQ(ship["variants"].size(), 3U);
  EXPECT_GT(ship["variants"][2]["test"]["top1"].get<double>(), 0.9);
  EXPECT_EQ(ship["variants"][2]["test"]["samples"], 500);
  EXPECT_GT(ship["variants"][2]["code_bytes"], 10'000);
  EXPECT_LT(ship["variants"][2]["code_bytes"], 100'000);
  // What is simulated while training is what the kernels compute.
  EXPECT_EQ(printed["stages"][3]["validation"]["top1"], ship["variants"][2]["validation"]["top1"]);
  EXPECT_GE(printed["stages"][2]["conv_macs_divided_by"].get<double>(), 4);
  // A finished run is not overwritten.
  const Outcome again = run("a");
  EXPECT_EQ(again.code, 2);
  EXPECT_THAT(
      again.err,
      HasSubstr(
          (folder_ / "a").string() +
          ": holds this run already; go on with --resume, or choose another folder with --output"));
}

TEST_F(Run, MixesSchemesAndKeepsTheirZeros) {
  json& prune = config_["stages"][1];
  prune["rates"] = {{"per_layer", {{"conv2", 3}, {"conv3", 4}, {"fc", 2}}}};
  prune["layers"] = {{{"match", "conv2"}, {"scheme", "block"}},
                     {{"match", "conv3"}, {"scheme", "nm"}},
                     {{"match", "fc"}, {"scheme", "unstructured"}}};
  prune["punched"] = true;
  prune["algorithm"] = {
      {"name", "gradual"}, {"importance", "taylor"}, {"epochs", 2}, {"repair_samples", 200}};
  const Outcome outcome = run("a", {"--json"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const json printed = json::parse(outcome.out);
  std::map<std::string, json> rows;
  for (const json& row : printed["stages"][2]["layers"]) rows[row["node"]] = row;
  EXPECT_EQ(rows["conv2"]["scheme"], "block");
  EXPECT_EQ(rows["conv3"]["scheme"], "nm");
  EXPECT_NEAR(rows["conv3"]["rate"].get<double>(), 4, 1e-9);
  EXPECT_EQ(rows["fc"]["scheme"], "unstructured");
  EXPECT_THAT(rows["fc"]["reason"].get<std::string>(), HasSubstr("compiled dense"));
  const json& compressed = printed["stages"].back()["variants"][2];
  EXPECT_GT(compressed["test"]["top1"].get<double>(), 0.9);
  EXPECT_LT(3 * compressed["macs"].get<double>(), compressed["dense_macs"].get<double>() * 1.2);
}

TEST_F(Run, MapsSchemesAndRatesToLayersByItself) {
  config_["stages"][1]["scheme"] = "auto";
  config_["stages"][1]["rates"] = {{"conv_macs_divided_by", 3}};
  keep_stages(2);
  const Outcome outcome = run("a", {"--json"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const json printed = json::parse(outcome.out), &pruned = printed["stages"].back();
  EXPECT_GE(pruned["conv_macs_divided_by"].get<double>(), 3);
  EXPECT_FALSE(pruned["mapping"].empty());
  EXPECT_GT(pruned["points"].size(), 5U);
  for (const json& row : pruned["layers"]) {
    EXPECT_TRUE(row["status"] == "dense" || row.contains("sensitivity")) << row;
  }
  EXPECT_GT(pruned["validation"]["top1"].get<double>(), 0.8);
  config_["stages"][1]["rates"] = {{"per_layer", {{"conv2", 3}}}};
  const Outcome refused = run("b");
  EXPECT_EQ(refused.code, 2);
  EXPECT_THAT(refused.err, HasSubstr("scheme \"auto\" chooses the layers' rates itself"));
}

// Fresh weights under a mask classify badly: what they were before they were trained.
TEST_F(Run, RewindsToEarlierWeights) {
  config_["stages"][1]["algorithm"] = {{"name", "one_shot"}};
  config_["stages"][1]["fine_tune"] = {{"epochs", 0}, {"rewind_to", "model"}};
  keep_stages(2);
  const Outcome outcome = run("a", {"--json"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const json printed = json::parse(outcome.out), &pruned = printed["stages"].back();
  EXPECT_GT(pruned["validation_before_fine_tuning"]["top1"].get<double>(), 0.3);
  EXPECT_LT(pruned["validation"]["top1"].get<double>(), 0.3);
}

TEST_F(Run, RemovesChannelsThenPrunesWhatIsLeft) {
  const json channels = {{"name", "channels"},
                         {"kind", "prune"},
                         {"scheme", "channel"},
                         {"final_type", "int8"},
                         {"rates", {{"conv_macs_divided_by", 1.5}}},
                         {"algorithm", {{"name", "one_shot"}, {"importance", "geometric_median"}}},
                         {"fine_tune", {{"epochs", 2}, {"distill_from", "dense"}}}};
  config_["stages"].insert(config_["stages"].begin() + 1, channels);
  config_["stages"][2]["rates"] = {{"conv_macs_divided_by", 1.5}};
  const Outcome outcome = run("a", {"--json"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const json printed = json::parse(outcome.out);
  const json& thinned = printed["stages"][2];
  EXPECT_GE(thinned["conv_macs_divided_by"].get<double>(), 1.5);
  const json& rows = thinned["layers"];
  EXPECT_TRUE(std::any_of(rows.begin(), rows.end(), [](const json& row) {
    return row["scheme"] == "channel" && row["kept_macs"] < row["macs"];
  }));
  const json& variants = printed["stages"].back()["variants"];
  EXPECT_GT(variants[2]["test"]["top1"].get<double>(), 0.9);
  EXPECT_GT(variants[0]["macs"].get<double>(), 2.2 * variants[2]["macs"].get<double>());
  config_["stages"][1]["algorithm"] = {{"name", "admm"}};
  const Outcome refused = run("b");
  EXPECT_EQ(refused.code, 2);
  EXPECT_THAT(refused.err, HasSubstr("stage \"channels\": scheme \"channel\" removes channels at "
                                     "once: expected algorithm \"one_shot\", got \"admm\""));
}

TEST_F(Run, EvaluatesTheRunItsBundleAndItsModelAlike) {
  ASSERT_EQ(run("a").code, 0);
  const json want = report("a")["stages"].back()["variants"][2]["test"];
  const auto evaluate = [&](const std::string& model, const std::vector<std::string>& more = {}) {
    std::vector<std::string> command{XGEN_TRAIN, "-q",
                                     "evaluate", (folder_ / model).string(),
                                     "--config", (folder_ / "config.json").string(),
                                     "--json"};
    command.insert(command.end(), more.begin(), more.end());
    const Outcome outcome = Process(command, folder_ / "streams").wait();
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    return json::parse(outcome.out);
  };
  for (const char* model : {"a", "a/bundle", "a/model.onnx"}) {
    for (const char* kernels : {"", "scalar"}) {
      const json got =
          evaluate(model, kernels[0] == '\0' ? std::vector<std::string>{}
                                             : std::vector<std::string>{"--kernels", kernels});
      EXPECT_EQ(got["top1"], want["top1"]) << model << " " << kernels;
      EXPECT_EQ(got["top5"], want["top5"]) << model << " " << kernels;
      EXPECT_EQ(got["samples"], 500);
    }
  }
  EXPECT_EQ(evaluate("a", {"--limit", "10"})["samples"], 10);
}

TEST_F(Run, KilledAndResumedEndsWithTheSameBits) {
  const Outcome whole = run("whole");
  ASSERT_EQ(whole.code, 0) << whole.err;
  const std::string measurements = (folder_ / "whole" / "measurements.json").string();
  int kills = 0;
  for (int delay_ms = 150; delay_ms < 4000; delay_ms = delay_ms * 3 / 2) {
    Process process(command("killed", {"--resume", "--measurements", measurements}),
                    folder_ / "streams");
    std::this_thread::sleep_for(std::chrono::milliseconds(delay_ms));
    if (!process.is_running()) break;
    process.send(SIGKILL);
    process.wait();
    ++kills;
  }
  EXPECT_GT(kills, 2);
  const Outcome last = run("killed", {"--resume", "--measurements", measurements});
  ASSERT_EQ(last.code, 0) << last.err;
  EXPECT_EQ(result_hash("killed"), result_hash("whole"));
}

// What the scan knew when it was killed is not measured again, and the choice is the same.
TEST_F(Run, AKilledScanGoesOn) {
  config_["stages"][1]["scheme"] = "auto";
  config_["stages"][1]["rates"] = {{"conv_macs_divided_by", 3}};
  config_["stages"][1]["algorithm"] = {{"name", "one_shot"}};
  config_["stages"][1]["fine_tune"] = {{"epochs", 0}};
  keep_stages(2);
  const fs::path scan = fs::path("checkpoints") / "prune.scan.json";
  const auto known = [&](const char* output) {
    return json::parse(text_of(folder_ / output / scan));
  };
  ASSERT_EQ(run("whole").code, 0);
  const std::vector<std::string> same = {"--resume", "--measurements",
                                         (folder_ / "whole" / "measurements.json").string()};
  Process process(command("killed", same), folder_ / "streams");
  ASSERT_TRUE(wait_for(process, folder_ / "killed" / scan));
  process.send(SIGKILL);
  process.wait();
  // A number that no scan would find shows that it is taken over.
  json marked = known("killed");
  marked["conv2.weight"].begin().value() = 1234.5;
  std::ofstream(folder_ / "killed" / scan) << marked.dump();
  ASSERT_EQ(run("killed", same).code, 0);
  const json finished = known("killed"), whole = known("whole");
  EXPECT_EQ(finished["conv2.weight"].begin().value(), 1234.5);
  EXPECT_EQ(finished["conv3.weight"], whole["conv3.weight"]);
  EXPECT_EQ(finished["conv2.weight"].size(), whole["conv2.weight"].size());
}

TEST_F(Run, CtrlCSavesAndStops) {
  config_["stages"][0]["epochs"] = 2000;
  Process process(command("stopped"), folder_ / "streams");
  ASSERT_TRUE(wait_for(process, folder_ / "stopped" / "checkpoints" / "dense.safetensors"));
  process.send(SIGINT);
  const Outcome outcome = process.wait();
  EXPECT_EQ(outcome.code, 130) << outcome.err;
  EXPECT_FALSE(fs::exists(folder_ / "stopped" / "checkpoints" / "dense.json"));
}

TEST_F(Run, RefusesWhatCannotBeMetAndSavesThePoints) {
  config_["stages"][1]["rates"] = {{"from_requirements", true}};
  config_["requirements"] = {{"latency_ms_max", 1e-5}};
  const Outcome outcome = run("a");
  EXPECT_EQ(outcome.code, 3);
  EXPECT_THAT(outcome.err,
              HasSubstr("latency_ms_max: wanted at most 1e-05, the least is predicted to be "));
  EXPECT_FALSE(report("a")["points"].empty());
  EXPECT_EQ(report("a")["requirements"][0]["met"], false);
  // It was said before anything was trained.
  const json forecast = report("a")["forecast"];
  EXPECT_EQ(forecast["met"], "never");
  EXPECT_LT(forecast["least_ms"], forecast["dense_ms"]);
  EXPECT_LT(forecast["low_ms"], forecast["dense_ms"]);
  EXPECT_THAT(forecast["text"].get<std::string>(),
              HasSubstr("latency_ms_max: wanted are at most 1e-05 ms; as it is the network is "
                        "predicted to take "));
  EXPECT_LT(outcome.err.find(", so that the limit is out of reach"),
            outcome.err.find("== dense (train)"))
      << outcome.err;
}

TEST_F(Run, MeetsLimitsOfTimeAndSizeTogether) {
  config_["stages"][1]["scheme"] = "auto";
  config_["stages"][1]["rates"] = {{"conv_macs_divided_by", 1.01}};
  ASSERT_EQ(run("whole").code, 0);
  const json stages = report("whole").at("stages");
  const json& dense = stages.back().at("variants").at(1);
  ASSERT_EQ(dense.at("name"), "dense int8");
  const double ms = 0.8 * dense.at("latency_ms").get<double>(),
               bytes = 0.6 * dense.at("size_bytes").get<double>();
  config_["stages"][1]["rates"] = {{"from_requirements", true}};
  config_["requirements"] = {{"latency_ms_max", ms}, {"size_bytes_max", bytes}};
  const Outcome outcome = run("a");
  EXPECT_THAT(outcome.err, HasSubstr("chosen: predicted "));
  const json compressed = report("a").at("stages").back().at("variants").back();
  EXPECT_LE(compressed.at("size_bytes"), bytes) << outcome.err;
  EXPECT_LE(compressed.at("latency_ms"), 1.3 * ms) << outcome.err;
}

TEST_F(Run, TrainsALayerThatLosesInTheNetworkOnWithoutItsMask) {
  keep_stages(2);
  ASSERT_EQ(run("a").code, 0);
  const auto pruned = [](const json& rows) {
    std::vector<std::string> nodes;
    for (const json& row : rows) {
      if (row.at("status") == "pruned") nodes.push_back(row.at("node"));
    }
    return nodes;
  };
  const json before = report("a").at("stages").back();
  ASSERT_GE(pruned(before.at("layers")).size(), 2);
  const std::string loser = pruned(before.at("layers")).front();
  json times = json::parse(text_of(folder_ / "a" / "measurements.json"));
  for (auto& [name, us] : times["layers_us"].items()) {
    if (name.find("prune masked compressed " + loser) == 0) us = 2;
    if (name.find("prune masked dense " + loser) == 0) us = 1;
  }
  std::ofstream(folder_ / "times.json") << times.dump();
  ASSERT_EQ(run("b", {"--measurements", (folder_ / "times.json").string()}).code, 0);
  const json after = report("b").at("stages").back();
  EXPECT_EQ(pruned(after.at("layers")).size() + 1, pruned(before.at("layers")).size());
  for (const json& row : after.at("layers")) {
    if (row.at("node") != loser) continue;
    EXPECT_EQ(row.at("kept_macs"), row.at("macs"));
    EXPECT_EQ(row.at("reason"), "in the network its pruned kernel takes 2 us, its dense one 1 us");
  }
  EXPECT_LT(after.at("conv_macs_divided_by"), before.at("conv_macs_divided_by"));
  EXPECT_NE(after.at("mask_sha256"), before.at("mask_sha256"));
}

TEST_F(Run, ChoosesAgainWhereTheFinishedNetworkMissesALimit) {
  config_["stages"].erase(2);  // fp32, where convolutions take most of the time
  config_["stages"][1]["final_type"] = "fp32";
  config_["stages"][1]["rates"] = {{"from_requirements", true}};
  config_["requirements"] = {{"latency_ms_max", 1e-5}, {"rounds", 2}};
  ASSERT_EQ(run("slow").code, 3);
  // Times that promise too much of the whole network: nothing is pruned for a limit that it misses.
  const fs::path promised = folder_ / "promised.json";
  json times = json::parse(text_of(folder_ / "slow" / "measurements.json"));
  const double dense_us = times.at("layers_us").at("prune dense fp32");
  const double wanted = 0.75 * 1e-3 * dense_us;
  for (const char* name : {"prune dense fp32", "prune chosen 0 fp32"})
    times["layers_us"][name] = 0.7 * dense_us;
  std::ofstream(promised) << times.dump();
  config_["requirements"]["latency_ms_max"] = wanted;
  const Outcome outcome = run("a", {"--measurements", promised.string()});
  const json rounds = report("a").at("rounds");
  ASSERT_EQ(rounds.size(), 1) << outcome.err;
  EXPECT_EQ(rounds[0].at("goal").at("latency_ms"), wanted);
  EXPECT_FALSE(rounds[0].at("requirements")[0].at("met"));
  EXPECT_THAT(outcome.err, HasSubstr("round 1 missed: latency_ms_max: wanted at most "));
  EXPECT_EQ(report("a").at("stages").size(), 4) << "stages of the last round alone";
  EXPECT_TRUE(fs::exists(folder_ / "a" / "checkpoints" / "prune.round2.json")) << outcome.err;
  // Resumed, it goes the same way without training.
  const Outcome again = run("a", {"--resume"});
  EXPECT_EQ(again.code, outcome.code) << again.err;
  EXPECT_THAT(again.err, HasSubstr("prune.round2: done before"));
}

TEST_F(Run, PrunesNothingWhereTheNetworkKeepsTheLimitsAsItIs) {
  config_["stages"][1]["rates"] = {{"from_requirements", true}};
  config_["requirements"] = {{"latency_ms_max", 100}};
  const Outcome outcome = run("a");
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr("keeps the limits as it is; nothing is pruned"));
  const json ship = report("a").at("stages").back();
  EXPECT_EQ(ship.at("variants").back().at("macs"), ship.at("variants").back().at("dense_macs"));
}

TEST_F(Run, MeasuresALatencyTableOnceAndGoesOnWhereThatWasStopped) {
  const auto environment = without_tables();
  config_["requirements"] = {{"latency_ms_max", 100}};
  config_["latency_build_minutes"] = 2;
  Process process(command("a"), folder_ / "streams", environment);
  for (int i = 0; i < 600 && process.is_running() &&
                  text_of(folder_ / "streams/stderr").find("measuring one") == std::string::npos;
       ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  process.send(SIGINT);
  const Outcome stopped = process.wait();
  EXPECT_EQ(stopped.code, 130) << stopped.err;
  EXPECT_THAT(stopped.err, HasSubstr("measuring one for 2 min 00 s, once for all runs on this"));
  EXPECT_THAT(stopped.err, HasSubstr("what was measured is kept; go on with --resume"));
  EXPECT_EQ(stopped.err.find("(train)"), std::string::npos);
  EXPECT_FALSE(fs::exists(folder_ / "a" / "latency_table.json"));
  ASSERT_THAT(tables(), ::testing::ElementsAre(::testing::EndsWith(".json.part")));

  config_["latency_build_minutes"] = 0.001;
  const Outcome outcome = run("a", {"--resume"}, environment);
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  ASSERT_THAT(tables(), ::testing::ElementsAre(::testing::EndsWith(".json")));
  const json own = json::parse(text_of(folder_ / "data/xgen/latency" / tables()[0])),
             kept = json::parse(text_of(folder_ / "a" / "latency_table.json"));
  EXPECT_EQ(own["batches"], 2);
  EXPECT_EQ(kept["fits"], own["fits"]);
  EXPECT_FALSE(kept.contains("samples"));
  EXPECT_EQ(report("a")["forecast"]["met"], "dense");
  EXPECT_THAT(report("a")["forecast"]["source"].get<std::string>(),
              HasSubstr("predicted by a table of "));

  // The next run finds it.
  keep_stages(1);
  config_["stages"].push_back({{"name", "ship"}, {"kind", "compile"}});
  const Outcome next = run("b", {}, environment);
  ASSERT_EQ(next.code, 0) << next.err;
  EXPECT_EQ(next.err.find("measuring one"), std::string::npos);
  EXPECT_THAT(next.err, HasSubstr("latency table of "));
}

TEST_F(Run, SaysThatMasksCannotSaveMemory) {
  config_["stages"][1]["scheme"] = "auto";
  config_["stages"][1]["rates"] = {{"from_requirements", true}};
  config_["requirements"] = {{"latency_ms_max", 100}, {"peak_ram_bytes_max", 1000}};
  const Outcome outcome = run("a");
  EXPECT_EQ(outcome.code, 3);
  EXPECT_THAT(outcome.err, HasSubstr("peak_ram_bytes_max: wanted at most 1000"));
}

TEST_F(Run, MissedRequirementsEndWithTheirOwnCode) {
  config_["requirements"] = {{"size_bytes_max", 10}};
  const Outcome outcome = run("a");
  EXPECT_EQ(outcome.code, 3);
  EXPECT_THAT(outcome.err,
              HasSubstr("requirements are not met: size_bytes_max: wanted at most 10.0, got "));
  EXPECT_TRUE(fs::exists(folder_ / "a" / "bundle" / "model.c"));
}

TEST_F(Run, RefusesAFolderOfAnotherRunOrOfSomethingElse) {
  keep_stages(1);
  ASSERT_EQ(run("a").code, 0);
  config_["seed"] = 2;
  Outcome outcome = run("a", {"--resume"});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(
      outcome.err,
      HasSubstr((folder_ / "a").string() +
                ": holds a run of another config (/seed); choose another folder with --output"));
  config_.erase("seed");
  config_["threads"] = 3;
  EXPECT_EQ(run("a", {"--resume"}).code, 0) << "a run may go on elsewhere";
  fs::create_directories(folder_ / "b");
  std::ofstream(folder_ / "b" / "letter.txt") << "dear";
  outcome = run("b");
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(
      outcome.err,
      HasSubstr(
          (folder_ / "b").string() +
          ": expected a new or empty folder, or an earlier run, got a folder with other files"));
}

TEST_F(Run, StopsAtNaNAndKeepsTheLastGoodState) {
  keep_stages(1);
  config_["training"]["lr"] = 900;
  config_["training"]["clip_norm"] = 0;
  config_["training"]["warm_up_steps"] = 0;
  config_["stages"][0]["epochs"] = 40;
  const Outcome outcome = run("a");
  EXPECT_EQ(outcome.code, 2) << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr("step "));
  EXPECT_FALSE(fs::exists(folder_ / "a" / "checkpoints" / "dense.json"));
}

TEST_F(Run, NamesADamagedCheckpoint) {
  keep_stages(1);
  config_["stages"][0]["epochs"] = 2000;
  Process process(command("a"), folder_ / "streams");
  ASSERT_TRUE(wait_for(process, folder_ / "a" / "checkpoints" / "dense.safetensors"));
  process.send(SIGINT);
  ASSERT_EQ(process.wait().code, 130);
  const fs::path checkpoint = folder_ / "a" / "checkpoints" / "dense.safetensors";
  fs::resize_file(checkpoint, fs::file_size(checkpoint) / 2);
  const Outcome outcome = run("a", {"--resume"});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(outcome.err, HasSubstr(checkpoint.string()));
}

TEST_F(Run, PrunesForAForeignTargetByPredictionsAndSaysSo) {
#if !defined(__x86_64__)
  GTEST_SKIP() << "aarch64 is this machine";
#endif
  config_["target"] = "aarch64";
  config_["requirements"] = {{"latency_ms_max", 100}};
  const Outcome outcome = run("a");
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(
      outcome.err,
      HasSubstr("target \"aarch64\" is for aarch64: its kernels do not run on this machine. "
                "Times are estimated from the description of aarch64"));
  EXPECT_TRUE(fs::exists(folder_ / "a" / "bundle" / "kernels_arm_neon_dot.c"));
  const json ship = report("a").at("stages").back();
  EXPECT_EQ(ship.at("variants").size(), 3);
  for (const json& variant : ship.at("variants")) {
    EXPECT_LT(variant.at("low_ms"), variant.at("latency_ms"));
    EXPECT_GT(variant.at("high_ms"), variant.at("latency_ms"));
    EXPECT_GT(variant.at("test").at("top1"), 0.3);
  }
  EXPECT_TRUE(ship.at("requirements").at(0).at("met"));
}

TEST_F(Run, WithoutACCompilerStopsBeforeAnythingIsTrained) {
  const Outcome outcome = run("a", {}, {"CC=/nonexistent"});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(outcome.err, HasSubstr("/nonexistent"));
  EXPECT_FALSE(fs::exists(folder_ / "a")) << outcome.err;
}

TEST_F(Run, StopsOnAFullDiskAndGoesOnWithTheSameBitsWhenThereIsRoom) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root, to mount a small disk";
  const test::Mounted disk(folder_ / "disk", "size=8m");
  if (!disk.ok()) GTEST_SKIP() << "cannot mount: " << disk.why();
  ASSERT_EQ(run("whole").code, 0);
  const std::vector<std::string> same{"--resume", "--measurements",
                                      (folder_ / "whole" / "measurements.json").string()};

  // So full that checkpoints of some stage no longer fit.
  std::ofstream(folder_ / "disk" / "ballast") << std::string(7500 << 10, 'x');
  const Outcome full = run("disk/a", same);
  EXPECT_EQ(full.code, 2) << full.err;
  EXPECT_THAT(full.err, HasSubstr("No space left on device"));
  EXPECT_THAT(full.err, HasSubstr((folder_ / "disk" / "a").string()));
  for (const auto& entry : fs::recursive_directory_iterator(folder_ / "disk"))
    EXPECT_EQ(entry.path().string().find(".tmp-"), std::string::npos) << entry.path();

  fs::remove(folder_ / "disk" / "ballast");
  const Outcome outcome = run("disk/a", same);
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(result_hash("disk/a"), result_hash("whole"));
}

TEST_F(Run, StopsAtABrokenImageOrTrainsWithoutIt) {
  for (const char* set : {"train", "test"}) {
    for (const char* name : {"dark", "light"}) {
      fs::create_directories(folder_ / "images" / set / name);
      for (int i = 0; i < 20; ++i) {
        const auto grey = static_cast<std::uint8_t>(i + (name[0] == 'd' ? 20 : 180));
        std::ofstream(folder_ / "images" / set / name / (std::to_string(i) + ".jpg"))
            << test::jpeg(8, 8, grey);
      }
    }
  }
  const fs::path broken = folder_ / "images" / "train" / "light" / "7.jpg";
  fs::resize_file(broken, fs::file_size(broken) - 3);
  config_["data"] = {{"format", "image_folder"},
                     {"path", (folder_ / "images").string()},
                     {"train", "train"},
                     {"test", "test"},
                     {"channels", 1}};
  config_["training"]["batch_size"] = 8;
  keep_stages(1);
  const Outcome stopped = run("a");
  EXPECT_EQ(stopped.code, 2);
  EXPECT_EQ(stopped.err.substr(stopped.err.find(broken.string())),
            broken.string() +
                ": the image is broken: Premature end of JPEG file; \"on_broken_image\": \"skip\" "
                "leaves it out\n");
  EXPECT_FALSE(fs::exists(folder_ / "a"));

  config_["data"]["on_broken_image"] = "skip";
  const Outcome skipped = run("a");
  ASSERT_EQ(skipped.code, 0) << skipped.err;
  EXPECT_THAT(skipped.err, HasSubstr(broken.string() + ": the image is broken: Premature end"));
}

TEST_F(Run, DryRunPrintsThePlanAndLeavesNothing) {
  const Outcome outcome = run("a", {"--dry-run", "--json"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const json plan = json::parse(outcome.out);
  EXPECT_EQ(plan["stages"].size(), 4U);
  EXPECT_GT(plan["seconds"].get<double>(), 0);
  EXPECT_FALSE(fs::exists(folder_ / "a"));
  EXPECT_FALSE(plan.contains("forecast"));
}

TEST_F(Run, DryRunPredictsAndMeasuresNothing) {
  const auto environment = without_tables();
  config_["requirements"] = {{"latency_ms_max", 100}};
  config_.erase("latency_build_minutes");
  const Outcome outcome = run("a", {"--dry-run", "--json"}, environment);
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const json plan = json::parse(outcome.out);
  EXPECT_THAT(outcome.err, HasSubstr("the static estimate serves"));
  EXPECT_THAT(outcome.err, HasSubstr("`xgen-train latency build --minutes 2`"));
  EXPECT_EQ(plan["forecast"]["met"], "dense");
  EXPECT_EQ(plan["seconds_of_latency_build"], 120);
  EXPECT_THAT(run("a", {"--dry-run"}, environment).out,
              HasSubstr("the run first measures a latency table of this machine: 2 min 00 s\n"));
  const auto forecast = [&](double wanted) {
    config_["requirements"]["latency_ms_max"] = wanted;
    return json::parse(run("a", {"--dry-run", "--json"}, environment).out)["forecast"];
  };
  const json never = forecast(1e-5);
  EXPECT_EQ(never["met"], "never");
  const double least = never["least_ms"], dense = never["dense_ms"];
  EXPECT_EQ(forecast(0.5 * (least + dense))["met"], "pruned");
  EXPECT_EQ(forecast(1.01 * dense)["met"], "dense");
  EXPECT_TRUE(tables().empty());
  EXPECT_FALSE(fs::exists(folder_ / "a"));
}

TEST_F(Run, NamesDataThatAreMissing) {
  config_["data"]["path"] = "nowhere.csv";
  const Outcome outcome = run("a");
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(outcome.err, HasSubstr("nowhere.csv"));
}

}  // namespace
}  // namespace xgen::cli
