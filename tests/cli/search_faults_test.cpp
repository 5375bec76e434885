#include <chrono>
#include <csignal>
#include <map>
#include <thread>

#include "search/sql_study.h"
#include "tests/cli/search_fixture.h"
#include "tests/search/postgres_server.h"
#include "tests/support/process.h"

namespace xgen::cli {
namespace {

class SearchFaults : public DigitsSearchTest {
 protected:
  // A worker of the search that s.json holds, beside the test.
  test::Process worker(const std::string& output, const std::string& streams) const {
    return {{XGEN_TRAIN, "-q", "search", shown("s.json"), "--output", shown(output)},
            folder_ / streams};
  }
  // Waits, for a minute at most, until `process` has written the file.
  bool wrote(test::Process& process, const std::string& file) const {
    for (int i = 0; i < 6000 && process.is_running() && !exists(file); ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    return exists(file) && process.is_running();
  }
  json status(const std::string& output) const {
    return run("search status " + path("s.json") + " --json -o " + path(output)).parsed();
  }
  // Of each trial the candidate, and the weights that its run ended with.
  std::map<std::string, std::string> results(const std::string& output) const {
    std::map<std::string, std::string> results;
    for (const auto& trial : fs::directory_iterator(folder_ / output / "trials"))
      results[trial.path().filename()] = hash_of(trial.path() / "candidate.onnx") + " " +
                                         hash_of(trial.path() / "run/bundle/weights.bin");
    return results;
  }
  // What one worker that nobody disturbs finds.
  std::map<std::string, std::string> calm_results() const {
    EXPECT_EQ(run("search " + path("s.json") + " -o " + path("calm")).code, 0);
    return results("calm");
  }
};

TEST_F(SearchFaults, ATrialWhoseTrainingDivergesHasFailedAndTheSearchGoesOn) {
  change_run([](json& run) {
    run["training"] = {{"lr", 1000}, {"weight_decay", 1}, {"batch_size", 32}, {"warm_up_steps", 0}};
  });
  const Said said = run(search(digits(2)) + " --json");
  ASSERT_EQ(said.code, 0) << said.err;
  EXPECT_EQ(said.parsed()["failed"], 2);
  ASSERT_EQ(said.parsed()["failures"].size(), 2U);
  const std::string reason = said.parsed()["failures"][1]["reason"];
  EXPECT_EQ(reason.rfind("stage \"dense\": the ", 0), 0U) << reason;
  EXPECT_TRUE(reason.ends_with("a smaller \"lr\" or a \"clip_norm\" may help (exit code 2)"))
      << reason;
}

TEST_F(SearchFaults, NamesARunConfigThatCannotBeRead) {
  json c = digits(1);
  c["run"] = "none.json";
  EXPECT_EQ(refusal(search(c)), shown("none.json") + ": cannot read: No such file or directory");
  std::ofstream(folder_ / "run.json") << "{\"version\": 1,\n \"name\" \"x\"}";
  EXPECT_EQ(refusal(search(digits(1))),
            shown("run.json") +
                ":2:11: syntax error while parsing object separator - unexpected string literal; "
                "expected ':'");
  EXPECT_FALSE(exists("out"));
}

TEST_F(SearchFaults, NamesAStepThatSetsWhatThereIsNot) {
  json c = digits(3);
  c["steps"] = {{{"name", "short"}, {"set", {{"training.momentumm", 0.8}}}}, {{"name", "full"}}};
  EXPECT_EQ(refusal(search(c)),
            shown("s.json") + ": /steps/0: " + shown("run.json") +
                ": /training/momentumm: unknown key; did you mean \"momentum\"?");
  c["steps"][0]["set"] = {{"stages.dense.epochs", 0}};
  EXPECT_EQ(refusal(search(c)),
            shown("s.json") + ": /steps/0: " + shown("run.json") +
                ": /stages/0/epochs: expected an integer in [1, 100000], got 0");
  EXPECT_FALSE(exists("out"));
}

TEST_F(SearchFaults, WantsValidationSamplesToJudgeErrorsBy) {
  change_run([](json& run) { run["data"]["validation_share"] = 0; });
  EXPECT_EQ(
      refusal(search(digits(1))),
      shown("run.json") +
          ": /data/validation_share: expected more than 0, as the objective \"error\" is that "
          "on the validation samples, got 0");
}

TEST_F(SearchFaults, NamesWhatDiffersFromAStudyOfAnotherSpace) {
  ASSERT_EQ(run(search(digits(1))).code, 0);
  json other = digits(1);
  other["space"]["head_channels"] = 32;
  EXPECT_EQ(refusal(search(other)), shown("out/study.db") +
                                        ": holds another study; /space/head_channels: expected 16, "
                                        "got 32");
}

TEST_F(SearchFaults, AWorkerThatIsKilledWhileItsRunWritesLosesNothing) {
  written(digits(2));
  {
    test::Process process = worker("out", "streams");
    ASSERT_TRUE(wrote(process, "out/trials/0/run/checkpoints"));
    process.send(SIGKILL);
    process.wait();
  }
  EXPECT_EQ(status("out")["finished"], 0);
  ASSERT_EQ(run("search " + path("s.json") + " -o " + path("out")).code, 0);
  EXPECT_EQ(status("out")["finished"], 2);
  EXPECT_EQ(results("out"), calm_results());
}

TEST_F(SearchFaults, TwoWorkersInOneFolderShareAStudy) {
  json c = digits(5);
  c["in_flight"] = 2;
  c["sampler"] = "evolution";
  c["objectives"] = {"error", "size_bytes"};
  written(c);
  test::Process first = worker("out", "first"), second = worker("out", "second");
  const test::Outcome one = first.wait(), other = second.wait();
  EXPECT_EQ(one.code, 0) << one.err;
  EXPECT_EQ(other.code, 0) << other.err;
  const json found = status("out");
  EXPECT_EQ(found["finished"], 5);
  EXPECT_EQ(found["failed"], 0);
  EXPECT_EQ(results("out"), calm_results());
}

TEST_F(SearchFaults, AWorkerWhoseTrialAnotherOneTookStopsItsRunAtOnce) {
  change_run([](json& run) { run["stages"][0]["epochs"] = 100'000; });
  json c = digits(1);
  c["objectives"] = {"error"};
  written(c);
  test::Process process = worker("out", "streams");
  ASSERT_TRUE(wrote(process, "out/trials/0/run/checkpoints"));
  const auto study = search::open_study(shown("out/study.db"), "tiny");
  study->release(0, study->trials()[0].worker);
  ASSERT_TRUE(study->take_over("other:1", 50));
  const fs::path log = folder_ / "out/trials/0/messages.txt";
  // The run has a day to go, but the worker hears of it in seconds, and waits for the other one.
  while (process.is_running() &&
         fs::last_write_time(log) > fs::file_time_type::clock::now() - std::chrono::seconds(5))
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  EXPECT_TRUE(process.is_running());
  EXPECT_TRUE(study->finish(0, "other:1", {12.5}));
  const test::Outcome outcome = process.wait();
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_NE(outcome.err.find("trial 0: another worker has it"), std::string::npos) << outcome.err;
  EXPECT_EQ(study->trials()[0].objectives, search::Objectives{12.5});
}

TEST_F(SearchFaults, AServerThatIsGoneForAWhileIsWaitedFor) {
  test::PostgresServer server;
  server.start();
  json c = digits(2);
  c["study"] = server.url();
  written(c);
  test::Process process = worker("out", "streams");
  ASSERT_TRUE(wrote(process, "out/trials/0/run/checkpoints"));
  server.stop();
  std::this_thread::sleep_for(std::chrono::seconds(2));
  server.start();
  const test::Outcome outcome = process.wait();
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  const json found = status("out");
  EXPECT_EQ(found["finished"], 2);
  EXPECT_EQ(found["failed"], 0);
}

}  // namespace
}  // namespace xgen::cli
