#include <algorithm>
#include <csignal>
#include <map>

#include "tests/cli/search_fixture.h"
#include "tests/support/process.h"

namespace xgen::cli {
namespace {

TEST_F(SearchTest, SpacePrintsSamplesWithWhatTheyCost) {
  const std::string space = "search space " + written(config()) + " --sample 30";
  const json result = run(space + " --json").parsed();
  EXPECT_EQ(result["candidates"], 9);
  EXPECT_EQ(result["parameters"], json({"block1", "block2"}));
  ASSERT_EQ(result["samples"].size(), 30U);
  std::map<std::string, json> by_choices;
  for (const json& sample : result["samples"]) {
    EXPECT_GT(sample["latency_ms"], 0);
    EXPECT_LT(sample["low_ms"], sample["high_ms"]);
    by_choices[sample["choices"].dump()] = sample;
  }
  ASSERT_GE(by_choices.size(), 5U);
  // 8x8 to 4x4: stem, the 1x1 that takes the first block's place, head, classifier.
  const json& smallest = by_choices.at("[\"identity\",\"identity\"]");
  EXPECT_EQ(smallest["macs"], 64 * 27 * 8 + 16 * 8 * 8 + 16 * 8 * 16 + 16 * 10);
  for (const auto& [choices, sample] : by_choices)
    EXPECT_GE(sample["macs"], smallest["macs"]) << choices;
  const Said said = run(space);
  EXPECT_NE(said.out.find("9 candidates\n"), std::string::npos) << said.out;
  EXPECT_NE(said.out.find("identity"), std::string::npos) << said.out;
}

TEST_F(SearchTest, SpaceNamesWhatIsWrong) {
  json wrong = config();
  wrong["space"]["blocks"][1] = "mb12_k3";
  EXPECT_EQ(refusal("search space " + written(wrong)),
            shown("s.json") +
                ": /space/blocks: expected \"identity\" or a block like \"mb3_k5\" (expansion 1 to "
                "9, kernel 1, 3, 5 or 7), got \"mb12_k3\"");
  wrong = config();
  wrong["latency_table"] = "none.json";
  EXPECT_NE(refusal("search space " + written(wrong)).find("none.json"), std::string::npos);
}

TEST_F(DigitsSearchTest, TriesCandidatesAndPrintsThoseThatNoneDominates) {
  const Said said = run(search(digits(4)) + " --json");
  ASSERT_EQ(said.code, 0) << said.err;
  const json result = said.parsed();
  EXPECT_EQ(result["finished"], 4);
  EXPECT_EQ(result["failed"], 0);
  ASSERT_GE(result["best"].size(), 1U);
  for (const json& best : result["best"]) {
    EXPECT_GT(best["latency_ms"], 0);
    EXPECT_GE(best["error"], 0);
    EXPECT_LT(best["error"], 95);
    const std::string trial = "out/trials/" + best["trial"].dump();
    EXPECT_TRUE(fs::exists(folder_ / trial / "run/bundle/model.h")) << trial;
  }
  // Nothing is left to do: what there is, is told.
  EXPECT_EQ(run(search(digits(4)) + " --json").parsed(), result);
  const Said status = run("search status " + written(digits(4)) + " -o " + path("out"));
  EXPECT_NE(status.out.find("4 of 4 trials finished, 0 running, 0 failed"), std::string::npos)
      << status.out;
  // The study alone tells of a trial.
  fs::remove_all(folder_ / "out/trials/3");
  const json shown =
      run("search trial " + written(digits(4)) + " 3 --json -o " + path("out")).parsed();
  EXPECT_EQ(shown["state"], "finished");
  EXPECT_EQ(shown["choices"].size(), 2U);
  EXPECT_GT(shown["objectives"]["latency_ms"], 0);
  EXPECT_NE(shown["texts"]["graph"].get<std::string>().find("Conv"), std::string::npos);
  EXPECT_TRUE(json::parse(shown["texts"]["kernels"].get<std::string>()).contains("layers_us"));
  EXPECT_EQ(json::parse(shown["texts"]["report"].get<std::string>())["name"], "tiny_3");
  EXPECT_EQ(run("search trial " + path("s.json") + " 3 --text log -o " + path("out")).out,
            shown["texts"]["log"]);
  EXPECT_NE(run("search trial " + path("s.json") + " 3 -o " + path("out")).out.find("--text log"),
            std::string::npos);
  EXPECT_EQ(refusal("search trial " + path("s.json") + " 3 --text logs -o " + path("out")),
            "trial 3: expected a text that is kept of it (graph, kernels, log, report), got "
            "\"logs\"");
}

// Masks follow from the weights that a model has and from what a candidate does with a layer, so
// candidates share kernels, whoever proposed them.
TEST_F(DigitsSearchTest, ASecondStudyMeasuresHardlyAnyKernelAgain) {
  only_prune();
  json c = digits(8);
  c["space"] = {{"kind", "model"}, {"zoo", "digits_cnn"}};
  c["compression"] = {{"per", "layer"}, {"schemes", {"block", "punched"}}, {"rates", {1, 2, 4}}};
  const std::string home = "XDG_DATA_HOME=" + path("data");
  const auto kernels_of = [&](const char* output) {
    const std::string config = written(c);
    const Said said = run("search " + config + " -o " + path(output), home);
    EXPECT_EQ(said.code, 0) << said.err;
    return run("search status " + config + " --json -o " + path(output)).parsed()["kernel_times"];
  };
  const json first = kernels_of("first");
  EXPECT_GT(first["found"], 0) << first.dump();
  c["sampler"] = "evolution";
  const json second = kernels_of("second");
  EXPECT_GT(second["asked"], 20) << second.dump();
  EXPECT_LE(5 * second["found"].get<int>(), second["asked"].get<int>()) << second.dump();
}

TEST_F(DigitsSearchTest, GoesOnAfterAKill) {
  const std::string command = search(digits(3));
  const auto finished = [&] {
    const Said said = run("search status " + written(digits(3)) + " --json -o " + path("out"));
    return said.code == 0 ? said.parsed()["finished"].get<int>() : 0;
  };
  test::Process process({XGEN_TRAIN, "-q", "search", shown("s.json"), "--output", shown("out")},
                        folder_ / "streams");
  while (finished() < 1) ASSERT_TRUE(process.is_running());
  process.send(SIGKILL);
  process.wait();
  const json result = run(command + " --json").parsed();
  EXPECT_EQ(result["finished"], 3);
  // The same candidates as without a kill.
  const json calm = run("search " + written(digits(3)) + " --json -o " + path("calm")).parsed();
  EXPECT_EQ(calm["finished"], 3);
  for (const char* trial : {"0", "1", "2"})
    EXPECT_EQ(hash_of(folder_ / "out/trials" / trial / "candidate.onnx"),
              hash_of(folder_ / "calm/trials" / trial / "candidate.onnx"));
}

TEST_F(DigitsSearchTest, StopsWhenItsTimeIsOverAndGoesOnAnotherTime) {
  change_run([](json& run) { run["stages"][0]["epochs"] = 30; });
  const json c = digits(2);
  const Said said = run(search(c) + " --minutes 0.03 --json");
  ASSERT_EQ(said.code, 0) << said.err;
  EXPECT_EQ(said.parsed()["finished"], 0);
  EXPECT_EQ(said.parsed()["running"], 1);
  EXPECT_EQ(run(search(c) + " --minutes 10 --json").parsed()["finished"], 2);
  EXPECT_NE(run(search(c) + " --minutes 0").err.find("--minutes"), std::string::npos);
}

TEST_F(DigitsSearchTest, AFailingCandidateIsTold) {
  json c = digits(2);
  c["space"]["image_channels"] = 3;  // the digits have one
  const Said said = run(search(c) + " --json");
  ASSERT_EQ(said.code, 0) << said.err;
  EXPECT_EQ(said.parsed()["failed"], 2);
  const std::string reason = said.parsed()["failures"][0]["reason"];
  EXPECT_NE(reason.find("expected [N, 1, 8, 8], as the images are, got [N, 3, 8, 8]"),
            std::string::npos)
      << reason;
  EXPECT_NE(reason.find("exit code 2"), std::string::npos) << reason;
}

TEST_F(DigitsSearchTest, RequirementsThatNoCandidateKeepsEndWithTheNearestOne) {
  json c = digits(2);
  c["requirements"] = {{"size_bytes_max", 100}};
  const Said said = run(search(c));
  EXPECT_EQ(said.code, 3);
  EXPECT_NE(said.err.find("/requirements: no candidate was found that keeps them; the nearest, "
                          "identity identity, is predicted to take "),
            std::string::npos)
      << said.err;
  EXPECT_FALSE(fs::exists(folder_ / "out/study.db"));
}

TEST_F(DigitsSearchTest, TriesOnlyCandidatesThatKeepTheRequirements) {
  const json all = run("search space " + written(digits(1)) + " --sample 30 --json").parsed();
  std::vector<double> sizes;
  for (const json& sample : all["samples"]) sizes.push_back(sample["size_bytes"]);
  std::sort(sizes.begin(), sizes.end());
  json c = digits(2);
  c["objectives"] = {"error", "size_bytes"};
  c["requirements"] = {{"size_bytes_max", sizes[5]}};
  const json result = run(search(c) + " --json").parsed();
  EXPECT_EQ(result["finished"], 2);
  EXPECT_EQ(result["beyond_requirements"], 0);
  for (const json& best : result["best"]) EXPECT_LE(best["size_bytes"], sizes[5]);
}

// The best of a cheap step are pruned and quantized as they say.
TEST_F(DigitsSearchTest, CandidatesGoFromStepToStepAndAreCompressed) {
  std::ifstream file(folder_ / "run.json");
  json run_config = json::parse(file);
  run_config["stages"] = {{{"name", "dense"}, {"kind", "train"}, {"epochs", 2}},
                          {{"name", "prune"},
                           {"kind", "prune"},
                           {"rates", {{"conv_macs_divided_by", 2}}},
                           {"algorithm", {{"name", "one_shot"}}},
                           {"fine_tune", {{"epochs", 1}}}},
                          {{"name", "int8"}, {"kind", "quantize"}, {"calibration_samples", 64}},
                          {{"name", "ship"}, {"kind", "compile"}}};
  std::ofstream(folder_ / "run.json") << run_config.dump();
  json c = digits(6);
  c["space"]["blocks"] = {"mb1_k3", "mb3_k5"};
  c["compression"] = {{"schemes", {"block"}}, {"rates", {1, 2}}, {"bits", {8}}};
  c["conditions"] = {
      {{"when", json::array()}, {"then", {{{"parameter", "pruning"}, {"is", {"block 2.0"}}}}}}};
  c["steps"] = {
      {{"name", "short"}, {"set", {{"stages.dense.epochs", 1}}}, {"stages", {"dense", "ship"}}},
      {{"name", "full"}}};
  c["space"]["stages"] = {{{"channels", 8}, {"blocks", 3}, {"stride", 2}}};
  const Said said = run(search(c) + " --json");
  ASSERT_EQ(said.code, 0) << said.err;
  const json result = said.parsed();
  EXPECT_EQ(result["failed"], 0) << result.dump(1);
  EXPECT_EQ(result["steps"][0]["finished"], 6);
  EXPECT_GE(result["finished"], 2) << "of six candidates two go on";
  EXPECT_EQ(result["steps"][0]["of"], result["finished"]);
  EXPECT_GT(result["kernel_times"]["asked"], 0);
  ASSERT_GE(result["best"].size(), 1U);
  const std::string trial = "out/trials/" + result["best"][0]["trial"].dump();
  std::ifstream report_file(folder_ / trial / "run/report.json");
  const json report = json::parse(report_file);
  std::vector<std::string> stages;
  for (const json& stage : report["stages"]) stages.push_back(stage["name"]);
  EXPECT_EQ(stages, (std::vector<std::string>{"model", "dense", "prune", "int8", "ship"}));
  std::ifstream short_file(folder_ / "out/trials/0/run/report.json");
  EXPECT_EQ(json::parse(short_file)["stages"].size(), 3U) << "model, dense, ship";
}

// Candidates differ in the size of the images that they are judged by and trained with.
TEST_F(DigitsSearchTest, TheSizeOfImagesIsSearched) {
  input("x", {-1, 1, 8, 8});
  const auto weights = [&](const char* name, const std::vector<std::int64_t>& shape) {
    const ir::Constant drawn = test::RandomTensors(3).f32(shape);
    floats(name, shape, {drawn.as<float>().begin(), drawn.as<float>().end()});
  };
  weights("w", {8, 1, 3, 3});
  weights("v", {10, 8});
  set(node("Conv", "conv", {"x", "w"}, "c"), "pads", std::vector<std::int64_t>{1, 1, 1, 1});
  node("Relu", "relu", {"c"}, "r");
  node("GlobalAveragePool", "pool", {"r"}, "p");
  node("Flatten", "flat", {"p"}, "f");
  set(node("Gemm", "fc", {"f", "v"}, "y"), "transB", std::int64_t{1});
  output("y");
  write(bytes());
  json c = digits(3);
  c["space"] = {{"kind", "model"}, {"onnx", "model.onnx"}, {"resolutions", {8, 6, 4}}};
  c["steps"] = {{{"name", "code"}, {"proxy", "naswot"}}, {{"name", "full"}}};
  c["reduction"] = 2;
  const Said said = run(search(c) + " --json");
  ASSERT_EQ(said.code, 0) << said.err;
  const json result = said.parsed();
  EXPECT_EQ(result["steps"][0]["finished"], 3) << result.dump(1);
  ASSERT_GE(result["finished"], 1) << result.dump(1);
  const int side = std::stoi(result["best"][0]["choices"][0].get<std::string>());
  std::ifstream file(folder_ / "out/trials" / result["best"][0]["trial"].dump() /
                     "run/report.json");
  const json report = json::parse(file);
  EXPECT_EQ(report["config"]["data"]["resize"], json({{"height", side}, {"width", side}}));
}

TEST_F(DigitsSearchTest, ProxiesAndASupernetJudgeBeforeAnythingIsTrained) {
  json c = digits(9);
  c["space"]["stages"][0]["blocks"] = 3;
  c["steps"] = {{{"name", "code"}, {"proxy", "naswot"}},
                {{"name", "inherited"}, {"supernet", {{"epochs", 1}, {"samples", 100}}}},
                {{"name", "full"}}};
  const Said said = run(search(c) + " --json");
  ASSERT_EQ(said.code, 0) << said.err;
  const json result = said.parsed();
  EXPECT_EQ(result["failed"], 0) << result.dump(1);
  EXPECT_EQ(result["steps"][0]["finished"], 9);
  EXPECT_GE(result["steps"][1]["finished"], 3);
  EXPECT_GE(result["finished"], 1);
  EXPECT_FALSE(fs::exists(folder_ / "out/trials/0/run")) << "a proxy trains nothing";
  const json judged =
      run("search trial " + path("s.json") + " 0 --json -o " + path("out")).parsed();
  EXPECT_EQ(judged["step"], "code");
  EXPECT_EQ(judged["texts"].size(), 1U) << "its graph";
  EXPECT_TRUE(fs::exists(folder_ / "out/supernets/inherited/checkpoints"));
  // Judged alike by another search.
  const json again =
      run("search " + written(c) + " --output " + path("again") + " --json").parsed();
  const auto lines = [&](const char* out) {
    std::string text;
    std::istringstream all(run("search export " + path("s.json") + " -o " + path(out)).out);
    for (std::string line; std::getline(all, line);) {
      const json trial = json::parse(line);
      if (trial.value("step", 2) < 2)
        text +=
            str(trial["point"].dump(), trial["step"].dump(), trial["objectives"][0].dump(), " ");
    }
    return text;
  };
  EXPECT_EQ(lines("out"), lines("again"));
}

// Of a network that decides layer by layer; blocks that candidates share are trained once.
TEST_F(DigitsSearchTest, CandidatesAreAssembledOfBlocksThatWereTrainedOnce) {
  std::ifstream file(folder_ / "run.json");
  json run_config = json::parse(file);
  run_config["stages"] = {{{"name", "prune"},
                           {"kind", "prune"},
                           {"rates", {{"conv_macs_divided_by", 2}}},
                           {"algorithm", {{"name", "one_shot"}}},
                           {"fine_tune", {{"epochs", 1}}}},
                          {{"name", "ship"}, {"kind", "compile"}}};
  std::ofstream(folder_ / "run.json") << run_config.dump();
  json c = digits(4);
  c["space"] = {{"kind", "model"}, {"zoo", "digits_cnn"}};
  c["compression"] = {{"per", "layer"}, {"schemes", {"block"}}, {"rates", {2, 4}}};
  c["steps"] = {{{"name", "assembled"}, {"blocks", {{"epochs", 1}}}}};
  const Said said = run(search(c) + " --json");
  ASSERT_EQ(said.code, 0) << said.err;
  EXPECT_EQ(said.parsed()["finished"], 4) << said.err;
  int trainings = 0;
  for ([[maybe_unused]] const auto& entry :
       fs::directory_iterator(folder_ / "out/blocks/assembled"))
    trainings += entry.is_directory();
  // Two choices of two or more layers: a third candidate finds all of its blocks trained.
  EXPECT_GE(trainings, 1);
  EXPECT_LT(trainings, 4);
  // A worker that comes later takes over what was trained.
  c["trials"] = 5;
  EXPECT_EQ(run(search(c) + " --json").parsed()["finished"], 5);
}

// A run that only prunes has nothing to do for a network that is dense.
TEST_F(DigitsSearchTest, ProposesNoCandidateThatLeavesAStepNothingToDo) {
  only_prune();
  json c = digits(2);
  c["space"] = {{"kind", "model"}, {"zoo", "digits_cnn"}};
  c["compression"] = {{"schemes", {"block"}}, {"rates", {1, 2, 4}}};
  const Said said = run(search(c) + " --json");
  ASSERT_EQ(said.code, 0) << said.err;
  EXPECT_EQ(said.parsed()["finished"], 2);
  EXPECT_EQ(said.parsed()["failed"], 0);
}

TEST_F(DigitsSearchTest, LooksOnceAtWhatEachChoiceAloneDoes) {
  only_prune(64);
  json c = digits(4);
  c["space"] = {{"kind", "model"}, {"zoo", "digits_cnn"}};
  c["compression"] = {{"per", "layer"},
                      {"schemes", {"block", "punched"}},
                      {"rates", {1, 2, 4}},
                      {"sensitivity", true}};
  c["sampler"] = "bayesian";
  const fs::path scan = folder_ / "out/sensitivity/scan.json";
  // Stopped within, it goes on with what was found.
  written(c);
  test::Process process({XGEN_TRAIN, "-q", "search", shown("s.json"), "--output", shown("out")},
                        folder_ / "streams");
  while (!fs::exists(scan)) ASSERT_TRUE(process.is_running());
  process.send(SIGINT);
  EXPECT_EQ(process.wait().code, 130);
  const auto read = [&] {
    std::ifstream file(scan);
    return json::parse(file);
  };
  json known = read();
  ASSERT_GE(known.size(), 2U) << "the weights' hash and a layer";
  const std::string layer = known.begin().key();
  const std::string option = known[layer].begin().key();
  known[layer][option] = 1234.5;
  std::ofstream(scan) << known.dump();
  const Said said = run(search(c) + " --json");
  ASSERT_EQ(said.code, 0) << said.err;
  EXPECT_EQ(said.parsed()["finished"], 4);
  const json all = read();
  EXPECT_EQ(all[layer][option], 1234.5) << "was looked at once";
  std::size_t options = 0;
  for (const auto& [weight, of] : all.items()) options += of.is_object() ? of.size() : 0;
  EXPECT_GE(options, 4U);
  // A worker elsewhere proposes by the same numbers.
  fs::remove_all(scan.parent_path());
  c["trials"] = 5;
  EXPECT_EQ(run(search(c) + " --json").parsed()["finished"], 5);
  EXPECT_FALSE(fs::exists(scan));
  // So does a study that came from another one.
  const std::string of_search = path("s.json") + " ", lines = path("s.jsonl");
  ASSERT_EQ(run("search export " + of_search + "-o " + path("out") + " --file " + lines).code, 0);
  ASSERT_EQ(run("search import " + of_search + lines + " -o " + path("copy")).code, 0);
  c["trials"] = 6;
  written(c);
  const Said copy = run("search " + of_search + "--output " + path("copy") + " --json");
  EXPECT_EQ(copy.parsed()["finished"], 6) << copy.err;
  EXPECT_FALSE(fs::exists(folder_ / "copy/sensitivity"));
}

TEST_F(DigitsSearchTest, NamesWhatStepsAndConditionsAskForInVain) {
  json wrong = digits(9);
  wrong["steps"] = {{{"name", "short"}, {"stages", {"dense", "shop"}}}, {{"name", "full"}}};
  EXPECT_EQ(refusal(search(wrong)), shown("s.json") + ": /steps/0: expected a stage of " +
                                        shown("run.json") +
                                        ", got \"shop\"; did you mean \"ship\"?");
  wrong["steps"][0] = {{"name", "short"}, {"set", {{"stages.dens.epochs", 1}}}};
  EXPECT_NE(refusal(search(wrong)).find(shown("s.json") + ": /steps/0: "), std::string::npos);
  wrong = digits(2);
  wrong["steps"] = {{{"name", "short"}}, {{"name", "full"}}};
  EXPECT_EQ(refusal(search(wrong)), shown("s.json") +
                                        ": /trials: expected at least 3, of which one candidate "
                                        "gets to the last of 2 steps, got 2");
  wrong["trials"] = 3;
  wrong["bootstrap"] = 4;
  EXPECT_EQ(refusal(search(wrong)),
            shown("s.json") + ": /bootstrap: expected at most 3, the number of candidates, got 4");
  wrong.erase("bootstrap");
  wrong["steps"] = {{{"name", "code"}, {"proxy", "naswat"}}, {{"name", "full"}}};
  EXPECT_NE(refusal(search(wrong))
                .find("/steps/0/proxy: expected one of \"synflow\", "
                      "\"naswot\", \"grad_norm\", got \"naswat\""),
            std::string::npos);
  wrong["steps"] = {{{"name", "full"}}, {{"name", "code"}, {"proxy", "naswot"}}};
  wrong["trials"] = 3;
  EXPECT_EQ(refusal(search(wrong)), shown("s.json") +
                                        ": /steps: \"code\": the last step counts: expected a "
                                        "run, got a cheaper judgement");
  wrong = digits(2);
  wrong["conditions"] = {{{"then", {{{"parameter", "block1"}, {"is", {"identity"}}}}}},
                         {{"then", {{{"parameter", "block1"}, {"is", {"mb1_k3"}}}}}}};
  EXPECT_EQ(refusal(search(wrong)),
            shown("s.json") + ": /conditions: no candidate keeps all of them");
  wrong = digits(2);
  wrong["compression"] = {{"bits", {8}}};
  EXPECT_EQ(refusal(search(wrong)), shown("run.json") +
                                        ": /stages: expected a stage of kind \"quantize\", as "
                                        "candidates ask for it, found none");
}

TEST_F(DigitsSearchTest, RefusesWhatCannotBeSearched) {
  json wrong = digits(1);
  wrong.erase("run");
  EXPECT_EQ(
      refusal(search(wrong)),
      shown("s.json") + ": /run: expected the config of a run that trains a candidate, found none");
  wrong = digits(1);
  wrong["objectives"] = {"error", "latency"};
  EXPECT_NE(refusal(search(wrong)).find("/objectives: expected one of"), std::string::npos);
  ASSERT_EQ(run(search(digits(1))).code, 0);
  wrong = digits(1);
  wrong["seed"] = 2;
  EXPECT_EQ(refusal(search(wrong)),
            shown("out/study.db") + ": holds another study; /seed: expected 1, got 2");
}

}  // namespace
}  // namespace xgen::cli
