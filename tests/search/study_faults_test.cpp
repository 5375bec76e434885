#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <fstream>
#include <iostream>
#include <thread>

#include "search/sql_connection.h"
#include "search/sql_study.h"
#include "tests/search/postgres_server.h"
#include "tests/search/study_fixture.h"
#include "tests/support/message.h"
#include "tests/support/temporary_folder.h"

/// What may happen to a study's file or server.
namespace xgen::search {
namespace {

TEST(FileStudy, RefusesOtherFiles) {
  const test::TemporaryFolder folder;
  const std::string none = (folder / "none.db").string(), text = (folder / "text.db").string(),
                    other = (folder / "other.db").string();
  EXPECT_EQ(test::message_of([&] { open_study(none, "s"); }, none),
            "F: expected a study, found no file");
  std::ofstream(text) << std::string(4096, 'x');
  EXPECT_EQ(test::message_of([&] { open_study(text, "s"); }, text),
            "F: expected a study, got a file that is no SQLite database");
  std::ofstream(other).close();  // an empty database
  EXPECT_EQ(test::message_of([&] { open_study(other, "s"); }, other),
            "F: expected a study, found none");
}

TEST(FileStudy, RefusesAnotherVersionAndContentsThatAreNoStudy) {
  const test::TemporaryFolder folder;
  const std::string file = (folder / "study.db").string();
  const auto study = create_study(file, settings(1));
  claim(*study, problem(), "a", 1, kSilent);
  const auto database = open_sqlite(file, false);
  database->run("UPDATE study SET value = '1' WHERE key = 'version'");
  for (const bool create : {false, true})
    EXPECT_EQ(
        test::message_of(
            [&] { create ? create_study(file, settings(1)) : open_study(file, "eight"); }, file),
        "F: expected a study of version 3, got \"1\"");
  database->run("UPDATE study SET value = '3' WHERE key = 'version'");
  for (const char* broken : {"[0, 1", "{}", "\"x\""}) {
    database->run("UPDATE trials SET point = $1", {std::string(broken)});
    EXPECT_EQ(test::message_of([&] { study->trials(); }, file),
              std::string("F: trial 0: expected a point, got ") + broken);
  }
  database->run("UPDATE study SET value = '{}' WHERE key = 'settings'");
  EXPECT_EQ(test::message_of([&] { open_study(file, "eight"); }, file),
            "F: expected the settings of a study, got {}");
}

// Finishes trials until the study has so many.
void fill(StudyStore& study, std::int64_t count) {
  const Problem of = problem();
  while (const std::optional<StudyTrial> trial = claim(study, of, "a", count, kSilent))
    study.finish(trial->number, "a", objectives_of(trial->point));
}

// Whether `work` returns true, in a process of its own; nothing where that cannot be set up.
template <class SetUp, class Work>
std::optional<bool> in_a_process(const SetUp& set_up, const Work& work) {
  const pid_t pid = fork();
  if (pid == 0) {
    if (!set_up()) _exit(2);
    bool holds = false;
    try {
      holds = work();
    } catch (const std::exception& error) {
      std::cerr << error.what() << std::endl;
    }
    _exit(holds ? 0 : 1);
  }
  int status = 0;
  waitpid(pid, &status, 0);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 2) return std::nullopt;
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

TEST(FileStudy, LeavesADamagedFileAsItIsAndKeepsACopy) {
  const test::TemporaryFolder folder;
  const std::string file = (folder / "study.db").string();
  fill(*create_study(file, settings(1)), 60);
  // A worker that was killed leaves a log.
  in_a_process([] { return true; },
               [&] {
                 fill(*create_study(file, settings(1)).release(), 61);
                 return true;
               });
  const auto size = std::filesystem::file_size(file);
  std::fstream damage(file, std::ios::in | std::ios::out | std::ios::binary);
  damage.seekp(4096);
  damage << std::string(size - 4096, '\x5a');
  damage.close();
  const std::string bytes = test::contents(file), log = test::contents(file + "-wal");
  ASSERT_NE(log, "");
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(test::message_of([&] { create_study(file, settings(1))->trials(); }, file),
              "F: the study is damaged and was left as it is; a copy is kept in F.damaged; what "
              "can be read of it, `sqlite3 F.damaged .recover` prints");
    EXPECT_EQ(test::contents(file), bytes);
    EXPECT_EQ(test::contents(file + "-wal"), log);
    EXPECT_EQ(test::contents(file + ".damaged"), bytes);
    EXPECT_EQ(test::contents(file + ".damaged-wal"), log);
  }
  EXPECT_FALSE(std::filesystem::exists(file + ".damaged2"));
}

TEST(FileStudy, SaysThatItIsLockedAndGoesOnAfterwards) {
  const test::TemporaryFolder folder;
  const std::string file = (folder / "study.db").string();
  const auto study = create_study(file, settings(1));
  fill(*study, 3);
  const auto other = open_sqlite(file, false),
             impatient = open_sqlite(file, false, std::chrono::milliseconds(200));
  other->run("BEGIN EXCLUSIVE");
  EXPECT_EQ(test::message_of([&] { impatient->begin(Access::write); }, file),
            "F: locked by another process for over 0.2 s");
  other->run("ROLLBACK");
  impatient->begin(Access::write);
  impatient->run("ROLLBACK");
  fill(*study, 4);
  EXPECT_EQ(study->trials().size(), 4u);
}

// Finishes trials until that fails; whether it fails with this message, loses no trial that had
// ended before, and goes on once `make_room` was called.
template <class MakeRoom>
bool stops_and_goes_on(const std::string& file, const std::string& expected,
                       const MakeRoom& make_room) {
  const auto study = create_study(file, settings(1));
  const Problem of = problem();
  std::int64_t ended = 0;
  const std::string message = test::message_of(
      [&] {
        while (const std::optional<StudyTrial> trial = claim(*study, of, "a", 10'000, kSilent)) {
          study->fail(trial->number, "a", std::string(2000, 'x'));
          ++ended;
        }
      },
      file);
  const auto kept = [&] {
    const std::vector<StudyTrial> trials = study->trials();
    return std::count_if(trials.begin(), trials.end(),
                         [](const StudyTrial& t) { return t.state == TrialState::failed; });
  };
  const bool lost = kept() != ended;
  make_room();
  // The one that was begun, or could not be, is anyone's.
  const std::optional<StudyTrial> next = claim(*study, of, "b", 10'000, 0);
  const bool on = next && next->number == ended && study->finish(ended, "b", {1});
  if (message != expected || lost || !on || ended == 0)
    std::cerr << message << "; " << ended << " ended, " << kept() << " kept; goes on: " << on
              << std::endl;
  return message == expected && ended > 0 && !lost && on;
}

TEST(FileStudy, LosesNothingOnAFullDisk) {
  const test::TemporaryFolder folder;
  const std::string disk = folder.path().string();
  const std::optional<bool> holds = in_a_process(
      [&] {
        return unshare(CLONE_NEWNS) == 0 &&
               mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
               mount("tmpfs", disk.c_str(), "tmpfs", 0, "size=512k") == 0;
      },
      [&] {
        folder.put("ballast", std::string(128 * 1024, 'x'));
        return stops_and_goes_on(disk + "/study.db",
                                 "F: no space left for the study; trials that ended are kept",
                                 [&] { std::filesystem::remove(disk + "/ballast"); });
      });
  if (!holds) GTEST_SKIP() << "only root may mount a small disk";
  EXPECT_TRUE(*holds);
}

TEST(FileStudy, LosesNothingWhereFilesMayNotGrow) {
  const test::TemporaryFolder folder;
  const auto limit = [](rlim_t bytes) {
    const rlimit now = {bytes, RLIM_INFINITY};
    return setrlimit(RLIMIT_FSIZE, &now) == 0;
  };
  const std::optional<bool> holds = in_a_process(
      [&] { return std::signal(SIGXFSZ, SIG_IGN) != SIG_ERR && limit(256 * 1024); },
      [&] {
        return stops_and_goes_on(
            (folder / "study.db").string(),
            "F: cannot be read or written: the disk is gone, broken or over its quota; trials that "
            "ended are kept",
            [&] { limit(RLIM_INFINITY); });
      });
  EXPECT_TRUE(holds.value_or(false));
}

TEST(ServerStudy, AWorkerWaitsForAServerThatIsStartedAgain) {
  test::PostgresServer server;
  server.start();
  const auto study = create_study(server.url(), settings(1));
  const Problem of = problem();
  const std::optional<StudyTrial> trial = claim(*study, of, "a", 10, kSilent);
  ASSERT_TRUE(trial);
  server.stop();
  std::thread restart([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    server.start();
  });
  EXPECT_TRUE(study->finish(trial->number, "a", {1}));
  restart.join();
  EXPECT_EQ(study->trials().at(0).state, TrialState::finished);
}

TEST(ServerStudy, AWorkerWaitsForAnotherThatMakesTheSchema) {
  test::PostgresServer server;
  server.start();
  const std::string url = server.url();
  const auto first = connect_postgres(url, "eight", false);
  first->begin(Access::write);
  first->run("CREATE SCHEMA eight");
  std::thread commit([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    first->run("COMMIT");
  });
  EXPECT_EQ(test::message_of([&] { create_study(url, settings(1)); }), "");
  commit.join();
}

TEST(ServerStudy, SaysThatNoServerAnswers) {
  const std::string message =
      test::message_of([] { open_study("postgresql://me:secret@127.0.0.1:1/studies", "s"); });
  EXPECT_EQ(message.rfind("postgresql://127.0.0.1:1/studies s: ", 0), 0u) << message;
  EXPECT_EQ(message.find("secret"), std::string::npos);
}

}  // namespace
}  // namespace xgen::search
