#include <gmock/gmock.h>

#include <functional>

#include "core/config_file.h"
#include "tests/cli/run_fixture.h"
#include "tests/support/command.h"

/// Runs that are killed, stopped or meet a full disk, and go on.
namespace xgen::cli {
namespace {

using ::testing::HasSubstr;

class Resume : public RunFixture {};

TEST_F(Resume, KilledAndResumedEndsWithTheSameBits) {
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

// Lets a run go on until `is_there` holds, and sends it a signal.
void end_when(Process& process, const std::function<bool()>& is_there, int signal) {
  while (process.is_running() && !is_there())
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  ASSERT_TRUE(process.is_running()) << "too late: " << process.wait().err;
  process.send(signal);
  ASSERT_EQ(process.wait().code, 128 + signal);
}

// Ends it on the spot.
void kill_when(Process process, const std::function<bool()>& is_there) {
  end_when(process, is_there, SIGKILL);
}

// Trained a little, pruned by what a scan and measured kernels say.
class ResumeMapping : public Resume {
 protected:
  ResumeMapping() {
    config_["stages"][0]["epochs"] = 1;
    config_["stages"][1]["scheme"] = "auto";
    config_["stages"][1]["rates"] = {{"conv_macs_divided_by", 3}};
    config_["stages"][1]["algorithm"] = {{"name", "one_shot"}};
    config_["stages"][1]["fine_tune"] = {{"epochs", 0}};
    keep_stages(2);
  }
  fs::path scan_of(const char* output) const {
    return folder_ / output / "checkpoints" / "prune.scan.json";
  }
  static std::size_t known(const json& scan) {
    std::size_t count = 0;
    for (const auto& [weight, options] : scan.items()) count += options.size();
    return count;
  }
};

// What the scan knew when it was killed is not looked for again, and the choice is the same.
TEST_F(ResumeMapping, AKilledScanGoesOnToTheSameBits) {
  ASSERT_EQ(run("whole").code, 0);
  const std::vector<std::string> same = {"--resume", "--measurements",
                                         (folder_ / "whole" / "measurements.json").string()};
  kill_when(Process(command("killed", same), folder_ / "streams"),
            [&] { return fs::exists(scan_of("killed")); });
  const json whole = json::parse(text_of(scan_of("whole"))),
             begun = json::parse(text_of(scan_of("killed")));
  ASSERT_LT(known(begun), known(whole));
  ASSERT_EQ(run("killed", same).code, 0);
  EXPECT_EQ(json::parse(text_of(scan_of("killed"))), whole);
  EXPECT_EQ(result_hash("killed"), result_hash("whole"));
  // A number that no scan would find shows that what is known is taken over.
  kill_when(Process(command("marked", same), folder_ / "streams"),
            [&] { return fs::exists(scan_of("marked")); });
  json marked = json::parse(text_of(scan_of("marked")));
  marked["conv2.weight"].begin().value() = 1234.5;
  std::ofstream(scan_of("marked")) << marked.dump();
  ASSERT_EQ(run("marked", same).code, 0);
  EXPECT_EQ(json::parse(text_of(scan_of("marked")))["conv2.weight"].begin().value(), 1234.5);
}

TEST_F(ResumeMapping, AScanThatIsInterruptedStopsBeforeItsEndAndGoesOn) {
  ASSERT_EQ(run("whole").code, 0);
  const std::vector<std::string> same = {"--resume", "--measurements",
                                         (folder_ / "whole" / "measurements.json").string()};
  Process process(command("stopped", same), folder_ / "streams");
  end_when(
      process, [&] { return fs::exists(scan_of("stopped")); }, SIGINT);
  EXPECT_THAT(text_of(folder_ / "streams" / "stderr"),
              HasSubstr("stopped while sensitivities were looked for; go on with --resume"));
  ASSERT_LT(known(json::parse(text_of(scan_of("stopped")))),
            known(json::parse(text_of(scan_of("whole")))));
  ASSERT_EQ(run("stopped", same).code, 0);
  EXPECT_EQ(result_hash("stopped"), result_hash("whole"));
}

// Times are no one's choice: the run that was killed while it took them takes them again, and
// another one that is given these ends with the same bits.
TEST_F(ResumeMapping, KilledWhileItMeasuresEndsAsItsMeasurementsSay) {
  for (int kill = 0; kill < 2; ++kill) {
    kill_when(Process(command("killed", {"--resume"}), folder_ / "streams"), [&] {
      return text_of(folder_ / "streams" / "stderr").find("timing generated kernels") !=
             std::string::npos;
    });
    EXPECT_FALSE(fs::exists(folder_ / "killed" / "measurements.json"));
    EXPECT_FALSE(fs::exists(scan_of("killed")));
  }
  const Outcome resumed = run("killed", {"--resume"});
  ASSERT_EQ(resumed.code, 0) << resumed.err;
  ASSERT_EQ(
      run("whole", {"--measurements", (folder_ / "killed" / "measurements.json").string()}).code,
      0);
  EXPECT_EQ(result_hash("killed"), result_hash("whole"));
}

// Killed between two checkpoints of the algorithm's own training.
class ResumePruning : public Resume, public ::testing::WithParamInterface<const char*> {};

TEST_P(ResumePruning, KilledInItsTrainingEndsWithTheSameBits) {
  const std::string algorithm = GetParam();
  config_["stages"][0]["epochs"] = 1;
  config_["stages"][1]["algorithm"] = {
      {"name", algorithm}, {"epochs", 2}, {"update_steps", 10}, {"rho", {1e-2, 1e-1}}};
  config_["stages"][1]["fine_tune"] = {{"epochs", 0}};
  keep_stages(2);
  ASSERT_EQ(run("whole").code, 0);
  const std::vector<std::string> same = {"--resume", "--measurements",
                                         (folder_ / "whole" / "measurements.json").string()};
  const fs::path checkpoints = folder_ / "killed" / "checkpoints",
                 training = checkpoints / ("prune." + algorithm + ".safetensors");
  kill_when(Process(command("killed", same), folder_ / "streams"),
            [&] { return fs::exists(training); });
  EXPECT_FALSE(fs::exists(checkpoints / "prune.mask.json"));
  // Once more, with the state of the algorithm as a checkpoint left it.
  const std::string first = text_of(training);
  kill_when(Process(command("killed", same), folder_ / "streams"),
            [&] { return text_of(training) != first; });
  EXPECT_FALSE(fs::exists(checkpoints / "prune.mask.json"));
  const Outcome resumed = run("killed", same);
  ASSERT_EQ(resumed.code, 0) << resumed.err;
  EXPECT_EQ(result_hash("killed"), result_hash("whole"));
  EXPECT_EQ(report("killed")["stages"].back()["mask_sha256"],
            report("whole")["stages"].back()["mask_sha256"]);
}

INSTANTIATE_TEST_SUITE_P(Algorithms, ResumePruning,
                         ::testing::Values("admm", "gradual", "group_lasso", "movement"),
                         [](const auto& algorithm) { return std::string(algorithm.param); });

TEST_F(Resume, CtrlCSavesAndStops) {
  config_["stages"][0]["epochs"] = 2000;
  Process process(command("stopped"), folder_ / "streams");
  ASSERT_TRUE(wait_for(process, folder_ / "stopped" / "checkpoints" / "dense.safetensors"));
  process.send(SIGINT);
  const Outcome outcome = process.wait();
  EXPECT_EQ(outcome.code, 130) << outcome.err;
  EXPECT_FALSE(fs::exists(folder_ / "stopped" / "checkpoints" / "dense.json"));
}

TEST_F(Resume, AKeyThatALaterVersionAddedHasItsDefault) {
  keep_stages(1);
  ASSERT_EQ(run("a").code, 0);
  const fs::path file = folder_ / "a" / "config.json";
  json before = load_config_json(file);
  before["training"].erase("precision");
  before["stages"][0]["training"].erase("precision");
  std::ofstream(file) << before;
  EXPECT_EQ(run("a", {"--resume"}).code, 0);
  config_["training"]["precision"] = "bf16";
  const Outcome outcome = run("a", {"--resume"});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(outcome.err, HasSubstr("holds a run of another config"));
}

TEST_F(Resume, RefusesAFolderOfAnotherRunOrOfSomethingElse) {
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

TEST_F(Resume, NamesADamagedCheckpoint) {
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

TEST_F(Resume, StopsOnAFullDiskAndGoesOnWithTheSameBitsWhenThereIsRoom) {
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

}  // namespace
}  // namespace xgen::cli
