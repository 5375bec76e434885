#include <gmock/gmock.h>

#include "tests/cli/run_fixture.h"

/// What must hold of a finished network: limits that are met, missed, or cannot be met.
namespace xgen::cli {
namespace {

using ::testing::HasSubstr;

class RequirementsTest : public RunFixture {
 protected:
  // Times of an earlier run, but masks pay: layers take 0.3 of the dense network, masked 0.06.
  json promising(const json& measured, double dense_us) {
    json times = measured;
    for (auto& [name, us] : times["layers_us"].items()) {
      if (name.find(" | ") != std::string::npos)
        us = (name.ends_with("| dense") ? 0.3 : 0.06) * dense_us;
    }
    return times;
  }
  void promise(json& times, const std::string& network, double us) {
    for (const char* which : {"median", "p95", "min"})
      times["layers_us"][network + " " + which] = us;
  }
};

TEST_F(RequirementsTest, RefusesWhatCannotBeMetAndSavesThePoints) {
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

TEST_F(RequirementsTest, RefusesASizeThatNoRateReaches) {
  config_["stages"][1]["rates"] = {{"from_requirements", true}};
  config_["requirements"] = {{"size_bytes_max", 500}, {"accuracy_drop_max", 1}};
  const Outcome outcome = run("a");
  EXPECT_EQ(outcome.code, 3);
  EXPECT_THAT(outcome.err,
              HasSubstr("size_bytes_max: wanted at most 500, the least is predicted to be "));
  EXPECT_THAT(outcome.err, HasSubstr(" cannot be pruned"));
  EXPECT_FALSE(report("a")["points"].empty());
  const json row = report("a")["requirements"][0];
  EXPECT_EQ(row["name"], "size_bytes_max");
  EXPECT_EQ(row["met"], false);
  EXPECT_GT(row["got"], 500);
}

TEST_F(RequirementsTest, MeetsLimitsOfTimeAndSizeTogether) {
  config_["stages"][1]["scheme"] = "auto";
  config_["stages"][1]["rates"] = {{"conv_macs_divided_by", 1.01}};
  ASSERT_EQ(run("whole").code, 0);
  const json stages = report("whole").at("stages");
  const json& dense = stages.back().at("variants").at(1);
  ASSERT_EQ(dense.at("name"), "dense int8");
  const double dense_us = 1e3 * dense.at("latency_ms").get<double>(), ms = 0.8e-3 * dense_us,
               bytes = 0.6 * dense.at("size_bytes").get<double>();
  config_["stages"][1]["rates"] = {{"from_requirements", true}};
  config_["requirements"] = {{"latency_ms_max", ms}, {"size_bytes_max", bytes}};
  json times = promising(json::parse(text_of(folder_ / "whole" / "measurements.json")), dense_us);
  for (const std::string round : {"", ".round2", ".round3"}) {
    times["layers_us"]["prune" + round + " dense int8"] = dense_us;
    for (const char* choice : {"0", "1", "2", "3"})
      times["layers_us"]["prune" + round + " chosen " + choice + " int8"] = 0.7 * dense_us;
    promise(times, "ship" + round + " network compressed", 0.7 * dense_us);
  }
  std::ofstream(folder_ / "times.json") << times.dump();
  const Outcome outcome = run("a", {"--measurements", (folder_ / "times.json").string()});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr("chosen: predicted "));
  const json compressed = report("a").at("stages").back().at("variants").back();
  EXPECT_LE(compressed.at("size_bytes"), bytes) << outcome.err;
  EXPECT_LE(compressed.at("latency_ms"), ms) << outcome.err;
}

TEST_F(RequirementsTest, MeetsAShareOfTheDenseNetworkHoweverFastTheMachineIs) {
  config_["stages"].erase(2);
  config_["stages"][1]["final_type"] = "fp32";
  config_["stages"][1]["rates"] = {{"from_requirements", true}};
  config_["requirements"] = {{"latency_share_max", 1e-3}, {"rounds", 1}};
  const Outcome refused = run("whole");
  ASSERT_EQ(refused.code, 3);
  EXPECT_THAT(refused.err, HasSubstr("latency_share_max: wanted are at most 0.001 of "));
  EXPECT_THAT(refused.err, HasSubstr("latency_share_max: wanted at most 0.001, the least is "));
  EXPECT_EQ(report("whole").at("requirements")[0].at("name"), "latency_share_max");
  config_["requirements"]["latency_share_max"] = 0.8;
  const json measured = json::parse(text_of(folder_ / "whole" / "measurements.json"));
  const double dense_us = measured.at("layers_us").at("prune whole fp32");
  for (const double slower : {1.0, 3.0}) {  // once the choice was made
    json times = promising(measured, dense_us);
    times["layers_us"]["prune dense fp32"] = dense_us;
    for (const char* choice : {"0", "1", "2", "3"})
      times["layers_us"][std::string("prune chosen ") + choice + " fp32"] = 0.7 * dense_us;
    for (const char* variant : {"dense fp32", "dense"})
      promise(times, std::string("ship network ") + variant, slower * dense_us);
    promise(times, "ship network compressed", slower * 0.7 * dense_us);
    std::ofstream(folder_ / "times.json") << times.dump();
    const std::string name = "slower " + std::to_string(slower);
    const Outcome outcome = run(name, {"--measurements", (folder_ / "times.json").string()});
    ASSERT_EQ(outcome.code, 0) << outcome.err;
    const json row = report(name).at("requirements")[0];
    EXPECT_EQ(row.at("wanted"), 0.8);
    EXPECT_NEAR(row.at("got").get<double>(), 0.7, 1e-9);
  }
}

TEST_F(RequirementsTest, TrainsALayerThatLosesInTheNetworkOnWithoutItsMask) {
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

TEST_F(RequirementsTest, ChoosesAgainWhereTheFinishedNetworkMissesALimit) {
  config_["stages"].erase(2);  // fp32, where convolutions take most of the time
  config_["stages"][1]["final_type"] = "fp32";
  config_["stages"][1]["rates"] = {{"from_requirements", true}};
  config_["requirements"] = {{"latency_ms_max", 1e-5}, {"rounds", 2}};
  ASSERT_EQ(run("slow").code, 3);
  // Times that promise too much of the whole network: nothing is pruned for a limit that it misses.
  const fs::path promised = folder_ / "promised.json";
  const json measured = json::parse(text_of(folder_ / "slow" / "measurements.json"));
  const double dense_us = measured.at("layers_us").at("prune dense fp32");
  json times = promising(measured, dense_us);
  const double wanted = 0.75 * 1e-3 * dense_us;
  for (const char* name : {"prune dense fp32", "prune chosen 0 fp32"})
    times["layers_us"][name] = 0.7 * dense_us;
  times["layers_us"]["prune.round2 dense fp32"] = dense_us;
  for (const int choice : {0, 1, 2})
    times["layers_us"]["prune.round2 chosen " + std::to_string(choice) + " fp32"] = 0.4 * dense_us;
  promise(times, "ship network compressed", dense_us);
  std::ofstream(promised) << times.dump();
  config_["requirements"]["latency_ms_max"] = wanted;
  const Outcome outcome = run("a", {"--measurements", promised.string()});
  const json rounds = report("a").at("rounds");
  ASSERT_EQ(rounds.size(), 1) << outcome.err;
  EXPECT_EQ(rounds[0].at("goal").at("latency_ms"), wanted);
  EXPECT_FALSE(rounds[0].at("requirements")[0].at("met"));
  EXPECT_NEAR(rounds[0].at("requirements")[0].at("got").get<double>(), 1e-3 * dense_us, 1e-9);
  EXPECT_THAT(outcome.err, HasSubstr("round 1 missed: latency_ms_max: wanted at most "));
  EXPECT_EQ(report("a").at("stages").size(), 4) << "stages of the last round alone";
  EXPECT_TRUE(fs::exists(folder_ / "a" / "checkpoints" / "prune.round2.json")) << outcome.err;
  // Resumed, it goes the same way without training.
  const Outcome again = run("a", {"--resume"});
  EXPECT_EQ(again.code, outcome.code) << again.err;
  EXPECT_THAT(again.err, HasSubstr("prune.round2: done before"));
}

TEST_F(RequirementsTest, PrunesNothingWhereTheNetworkKeepsTheLimitsAsItIs) {
  config_["stages"][1]["rates"] = {{"from_requirements", true}};
  config_["requirements"] = {{"latency_ms_max", 100}};
  const Outcome outcome = run("a");
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr("keeps the limits as it is; nothing is pruned"));
  const json ship = report("a").at("stages").back();
  EXPECT_EQ(ship.at("variants").back().at("macs"), ship.at("variants").back().at("dense_macs"));
}

TEST_F(RequirementsTest, SaysThatMasksCannotSaveMemory) {
  config_["stages"][1]["scheme"] = "auto";
  config_["stages"][1]["rates"] = {{"from_requirements", true}};
  config_["requirements"] = {{"latency_ms_max", 100}, {"peak_ram_bytes_max", 1000}};
  const Outcome outcome = run("a");
  EXPECT_EQ(outcome.code, 3);
  EXPECT_THAT(outcome.err, HasSubstr("peak_ram_bytes_max: wanted at most 1000"));
}

TEST_F(RequirementsTest, MissedRequirementsEndWithTheirOwnCode) {
  config_["requirements"] = {{"size_bytes_max", 10}};
  const Outcome outcome = run("a");
  EXPECT_EQ(outcome.code, 3);
  EXPECT_THAT(outcome.err,
              HasSubstr("requirements are not met: size_bytes_max: wanted at most 10.0, got "));
  EXPECT_TRUE(fs::exists(folder_ / "a" / "bundle" / "model.c"));
}

}  // namespace
}  // namespace xgen::cli
