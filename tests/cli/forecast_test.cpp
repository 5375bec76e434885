#include <gmock/gmock.h>

#include <chrono>
#include <csignal>
#include <thread>

#include "tests/cli/run_fixture.h"

/// What a run says before it trains, by a latency table that is there or that it measures.
namespace xgen::cli {
namespace {

using ::testing::HasSubstr;

class ForecastTest : public RunFixture {
 protected:
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
};

TEST_F(ForecastTest, MeasuresALatencyTableOnceAndGoesOnWhereThatWasStopped) {
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
  EXPECT_EQ(own["batches"], 1);  // the one that was being measured is measured again
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

TEST_F(ForecastTest, DryRunPredictsAndMeasuresNothing) {
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

}  // namespace
}  // namespace xgen::cli
