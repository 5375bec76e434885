#include <gmock/gmock.h>

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

// What the scan knew when it was killed is not measured again, and the choice is the same.
TEST_F(Resume, AKilledScanGoesOn) {
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

TEST_F(Resume, CtrlCSavesAndStops) {
  config_["stages"][0]["epochs"] = 2000;
  Process process(command("stopped"), folder_ / "streams");
  ASSERT_TRUE(wait_for(process, folder_ / "stopped" / "checkpoints" / "dense.safetensors"));
  process.send(SIGINT);
  const Outcome outcome = process.wait();
  EXPECT_EQ(outcome.code, 130) << outcome.err;
  EXPECT_FALSE(fs::exists(folder_ / "stopped" / "checkpoints" / "dense.json"));
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
