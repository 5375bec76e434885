#include <gmock/gmock.h>

#include "tests/cli/run_fixture.h"

namespace xgen::cli {
namespace {

class SharedStages : public RunFixture {
 protected:
  SharedStages() { keep_stages(1); }

  Outcome run_sharing(const std::string& output) {
    return run(output, {"--shared-stages", (folder_ / "stages").string()});
  }
  bool was_taken(const std::string& output) {
    return report(output)["stages"][1].contains("shared");
  }
  std::string trained(const std::string& output) {
    return report(output)["stages"][1]["weights_sha256"];
  }
};

TEST_F(SharedStages, AreTakenByRunsThatBeginAlikeAndEndOtherwise) {
  ASSERT_EQ(run_sharing("a").code, 0);
  EXPECT_FALSE(was_taken("a"));
  config_["name"] = "another";
  config_["stages"].push_back({{"name", "more"}, {"kind", "train"}, {"epochs", 1}});
  ASSERT_EQ(run("alone").code, 0);
  const Outcome b = run_sharing("b");
  ASSERT_EQ(b.code, 0) << b.err;
  EXPECT_TRUE(was_taken("b"));
  EXPECT_THAT(b.err, ::testing::HasSubstr("stage \"dense\": taken from a run that began alike"));
  EXPECT_EQ(report("b")["stages"][1]["history"], report("a")["stages"][1]["history"]);
  EXPECT_EQ(result_hash("b"), result_hash("alone")) << "nothing but the time is saved";
}

TEST_F(SharedStages, AreTrainedAgainWhereAnythingThatTheyDependOnDiffers) {
  ASSERT_EQ(run_sharing("a").code, 0);
  const json config = config_;
  config_["seed"] = 2;
  ASSERT_EQ(run_sharing("seed").code, 0);
  config_ = config;
  config_["training"]["lr"] = 0.01;
  ASSERT_EQ(run_sharing("training").code, 0);
  config_ = config;
  config_["data"]["normalize"] = {{"divide", 15}};
  ASSERT_EQ(run_sharing("data").code, 0);
  for (const char* other : {"seed", "training", "data"}) {
    EXPECT_FALSE(was_taken(other)) << other;
    EXPECT_NE(trained(other), trained("a")) << other;
  }
}

TEST_F(SharedStages, OfARunThatWasKilledAreTrainedByTheOneThatWaits) {
  config_["stages"][0]["epochs"] = 40;
  const std::vector<std::string> sharing{"--shared-stages", (folder_ / "stages").string()};
  Process first(command("a", sharing), folder_ / "a streams");
  ASSERT_TRUE(wait_for(first, folder_ / "a/checkpoints/dense.safetensors"));
  config_["stages"].push_back({{"name", "more"}, {"kind", "train"}, {"epochs", 1}});
  Process second(command("b", sharing), folder_ / "b streams");
  ASSERT_TRUE(wait_for(second, folder_ / "b/checkpoints/model.json"));
  first.send(SIGKILL);
  first.wait();
  const Outcome outcome = second.wait();
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_FALSE(was_taken("b"));
}

}  // namespace
}  // namespace xgen::cli
