#include "tests/cli/search_fixture.h"
#include "tests/support/temporary_folder.h"

namespace xgen::cli {
namespace {

TEST(SearchReference, CommittedSchemaAndPageAreCurrent) {
  const auto said = [](const std::string& flags) {
    return test::run_command("'" XGEN_TRAIN "' schema --search " + flags).output;
  };
  const fs::path source = XGEN_SOURCE_DIR;
  EXPECT_EQ(test::contents(source / "configs/schema/search.schema.json"), said(""))
      << "write it again: xgen-train schema --search > configs/schema/search.schema.json";
  EXPECT_EQ(test::contents(source / "docs/search_config.md"), said("--markdown"))
      << "write it again: xgen-train schema --search --markdown > docs/search_config.md";
}

// A search in a folder with its data, both named by relative paths.
class ExportTrialTest : public DigitsSearchTest {
 protected:
  void SetUp() override {
    DigitsSearchTest::SetUp();
    fs::create_directories(folder_ / "data");
    fs::copy_file(XGEN_SOURCE_DIR "/configs/data/digits.csv.gz", folder_ / "data/digits.csv.gz");
    change_run([](json& run) { run["data"]["path"] = "data/digits.csv.gz"; });
  }
  std::string exporting(const std::string& more) const {
    return "search export " + path("s.json") + " -o " + path("out") + " " + more;
  }
  json read(const std::string& name) const { return json::parse(test::contents(folder_ / name)); }
};

TEST_F(ExportTrialTest, GoesOnToTheSameWeightsAsTheTrial) {
  ASSERT_EQ(run(search(digits(2))).code, 0);
  const Said said = run(exporting("--trial 1 --to " + path("deep/er")));
  EXPECT_EQ(said.out, shown("deep/er/run.json") + "\n") << said.err;
  const json exported = read("deep/er/run.json");
  EXPECT_EQ(exported["name"], "tiny_1");
  EXPECT_EQ(exported["model"], json({{"batch_norm", "restore"}, {"onnx", "candidate.onnx"}}));
  EXPECT_EQ(exported["data"]["path"], "../../data/digits.csv.gz");
  EXPECT_EQ(hash_of(folder_ / "deep/er/candidate.onnx"),
            hash_of(folder_ / "out/trials/1/candidate.onnx"));
  const std::string config = path("deep/er/run.json");
  EXPECT_EQ(run("run " + config + " --dry-run").code, 0);
  ASSERT_EQ(run("run " + config + " --output " + path("again")).code, 0);
  EXPECT_EQ(hash_of(folder_ / "again/bundle/weights.bin"),
            hash_of(folder_ / "out/trials/1/run/bundle/weights.bin"));
  // What a person changed since is not lost.
  EXPECT_EQ(run(exporting("--trial 1 --to " + path("deep/er"))).code, 0);
  std::ofstream(folder_ / "deep/er/run.json", std::ios::app) << "\n";
  EXPECT_EQ(refusal(exporting("--trial 1 --to " + path("deep/er"))),
            shown("deep/er/run.json") +
                ": expected no file or the trial's run, found another one; choose another folder "
                "with --to");
}

TEST_F(ExportTrialTest, TakesTheStagesOfTheLastStep) {
  json c = digits(3);
  c["steps"] = {{{"name", "short"}, {"stages", {"dense"}}},
                {{"name", "full"}, {"set", {{"stages.dense.epochs", 2}, {"training.lr", 0.01}}}}};
  ASSERT_EQ(run(search(c)).code, 0);
  EXPECT_EQ(read("out/trials/0/run/report.json")["stages"].size(), 2U) << "model, dense";
  const Said said = run(exporting("--trial 0"));
  EXPECT_EQ(said.out, shown("out/exported/0/run.json") + "\n") << said.err;
  const json exported = read("out/exported/0/run.json");
  ASSERT_EQ(exported["stages"].size(), 2U);
  EXPECT_EQ(exported["stages"][0]["epochs"], 2);
  EXPECT_EQ(exported["stages"][1]["kind"], "compile");
  EXPECT_EQ(exported["training"]["lr"], 0.01);
}

TEST_F(ExportTrialTest, RefusesATrialThatThereIsNot) {
  const json c = digits(1);
  const std::string one = exporting("--trial 1 --to " + path("none"));
  written(c);
  EXPECT_EQ(refusal(one), shown("out/study.db") + ": expected a study, found no file");
  ASSERT_EQ(run(search(c)).code, 0);
  EXPECT_EQ(refusal(one), shown("out/study.db") + ": expected a trial from 0 to 0, got 1");
  EXPECT_FALSE(exists("none"));
  EXPECT_EQ(run(exporting("--to " + path("none"))).code, 2) << "of which trial?";
}

}  // namespace
}  // namespace xgen::cli
