#include "search/study.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <iostream>
#include <map>
#include <thread>

#include "core/error.h"
#include "search/sql_connection.h"
#include "search/sql_study.h"
#include "tests/search/postgres_server.h"
#include "tests/search/study_fixture.h"
#include "tests/support/message.h"
#include "tests/support/temporary_folder.h"

namespace xgen::search {
namespace {

enum class Where { file, server };
std::ostream& operator<<(std::ostream& out, Where where) {
  return out << (where == Where::file ? "file" : "server");
}

// A study of each test, in a file or on a server which all tests share.
class StudyTest : public testing::TestWithParam<Where> {
 protected:
  static void TearDownTestSuite() { test::PostgresServer::shared().stop(); }

  std::string file() const { return (folder_.path() / "study.db").string(); }
  std::string place() const {
    if (GetParam() == Where::file) return file();
    test::PostgresServer::shared().start();
    return test::PostgresServer::shared().url();
  }
  // Every test has a schema of its own.
  static StudySettings settings_of_test(int in_flight) {
    StudySettings s = settings(in_flight);
    s.name = testing::UnitTest::GetInstance()->current_test_info()->name();
    return s;
  }
  std::unique_ptr<StudyStore> create(int in_flight = 1) const {
    return create_study(place(), settings_of_test(in_flight));
  }
  std::unique_ptr<StudyStore> open() const { return open_study(place(), settings_of_test(1).name); }
  std::optional<StudyTrial> claim_as(StudyStore& store, const std::string& worker,
                                     double silent = kSilent) const {
    return claim(store, problem_, worker, 100, silent);
  }

  test::TemporaryFolder folder_;
  Problem problem_ = problem();
};
INSTANTIATE_TEST_SUITE_P(Kept, StudyTest, testing::Values(Where::file, Where::server),
                         testing::PrintToStringParamName());

TEST_P(StudyTest, KeepsTrialsOverProcessesWithWhatTheyFound) {
  {
    const auto study = create();
    const std::optional<StudyTrial> first = claim_as(*study, "a");
    ASSERT_TRUE(first);
    EXPECT_EQ(first->number, 0);
    EXPECT_TRUE(study->finish(0, "a", {1.0 / 3}));
    const std::optional<StudyTrial> second = claim_as(*study, "a");
    ASSERT_TRUE(second);
    EXPECT_TRUE(study->fail(1, "a", "loss is NaN in step 3"));
  }
  const auto study = open();
  EXPECT_EQ(study->settings(), settings_of_test(1));
  const std::vector<StudyTrial> trials = study->trials();
  ASSERT_EQ(trials.size(), 2u);
  EXPECT_EQ(trials[0].state, TrialState::finished);
  EXPECT_EQ(trials[0].objectives, Objectives{1.0 / 3});
  EXPECT_EQ(trials[1].state, TrialState::failed);
  EXPECT_EQ(trials[1].reason, "loss is NaN in step 3");
}

TEST_P(StudyTest, KeepsTextsOfTheTrialsThatAWorkerHas) {
  const auto study = create();
  ASSERT_TRUE(claim_as(*study, "a"));
  EXPECT_TRUE(study->kept(0).empty());
  EXPECT_TRUE(study->keep(0, "a", {{"graph", "Conv"}, {"log", "epoch 1"}}));
  EXPECT_TRUE(study->keep(0, "a", {{"log", std::string("ep\xffoch\0", 7) + "'; 2"}}));
  EXPECT_FALSE(study->keep(0, "b", {{"log", "another worker's"}}));
  EXPECT_TRUE(study->finish(0, "a", {1}));
  EXPECT_FALSE(study->keep(0, "a", {{"log", "too late"}}));
  const std::map<std::string, std::string> kept = {{"graph", "Conv"},
                                                   {"log", "ep\xef\xbf\xbdoch '; 2"}};
  EXPECT_EQ(open()->kept(0), kept);
  EXPECT_TRUE(study->kept(1).empty());
}

TEST_P(StudyTest, HoldsTheInputThatTheFirstWorkerGives) {
  const auto study = create();
  EXPECT_EQ(study->inputs(), StudyInputs());
  EXPECT_EQ(study->keep_input("harms", "[1, 2]"), "[1, 2]");
  EXPECT_EQ(open()->keep_input("harms", "[3]"), "[1, 2]");
  EXPECT_EQ(open()->inputs(), (StudyInputs{{"harms", "[1, 2]"}}));
  EXPECT_EQ(create()->settings(), settings_of_test(1));
}

TEST_P(StudyTest, AWorkerWaitsForTheTrialsThatAProposalDependsOn) {
  const auto study = create(2);
  ASSERT_TRUE(claim_as(*study, "a"));
  ASSERT_TRUE(claim_as(*study, "b"));
  EXPECT_FALSE(claim_as(*study, "c")) << "trial 2 depends on trial 0";
  EXPECT_TRUE(study->finish(1, "b", {1}));
  EXPECT_FALSE(claim_as(*study, "b"));
  EXPECT_TRUE(study->finish(0, "a", {1}));
  EXPECT_EQ(claim_as(*study, "a")->number, 2);
}

TEST_P(StudyTest, ProposalsDoNotDependOnWhoFinishesFirst) {
  std::vector<std::vector<Point>> points;
  for (const bool reverse : {false, true}) {
    const test::TemporaryFolder folder;
    const auto study = create_study((folder.path() / "s.db").string(), settings(3));
    while (study->trials().size() < 40) {
      std::vector<StudyTrial> claimed;
      for (int i = 0; i < 3; ++i) {
        if (const auto trial = claim(*study, problem_, "w", 40, kSilent)) claimed.push_back(*trial);
      }
      if (reverse) std::reverse(claimed.begin(), claimed.end());
      for (const StudyTrial& t : claimed) study->finish(t.number, "w", objectives_of(t.point));
    }
    points.emplace_back();
    for (const StudyTrial& t : study->trials()) points.back().push_back(t.point);
  }
  EXPECT_EQ(points[0], points[1]);
}

// What a step says of a candidate: the cheaper the step, the further off.
Objectives rated_by(int step, const Point& point) {
  const int off = (point[0] + 2 * point[1]) % 4;
  return {objectives_of(point)[0] + (2 - step) * off};
}

TEST_P(StudyTest, TheBestOfAStepGoOnToTheNext) {
  StudySettings s = settings_of_test(1);
  s.steps = {"proxy", "short", "full"};
  s.reduction = 3;
  for (const int in_flight : {1, 4}) {
    s.in_flight = in_flight;
    s.name = str(settings_of_test(1).name, in_flight);
    const test::TemporaryFolder folder;
    const auto study =
        create_study(GetParam() == Where::file ? (folder.path() / "s.db").string() : place(), s);
    while (!is_complete(*study, problem_, 27)) {
      std::vector<StudyTrial> claimed;
      for (int i = 0; i < in_flight; ++i) {
        if (const auto trial = claim(*study, problem_, "w", 27, kSilent)) claimed.push_back(*trial);
      }
      ASSERT_FALSE(claimed.empty()) << "nobody would ever end the study";
      for (const StudyTrial& t : claimed) study->finish(t.number, "w", rated_by(t.step, t.point));
    }
    EXPECT_FALSE(claim(*study, problem_, "w", 27, kSilent));
    std::vector<std::vector<Point>> of_step(3);
    for (const StudyTrial& t : study->trials())
      of_step[static_cast<std::size_t>(t.step)].push_back(t.point);
    EXPECT_EQ(of_step[0].size(), 27u);
    EXPECT_GE(of_step[1].size(), 9u);
    EXPECT_LT(of_step[1].size(), 27u) << "more than nine: those that were the best for a while";
    EXPECT_GE(of_step[2].size(), 3u);
    for (const std::size_t step : {1u, 2u}) {
      for (const Point& point : of_step[step]) {
        EXPECT_EQ(std::count(of_step[step].begin(), of_step[step].end(), point), 1);
        EXPECT_EQ(std::count(of_step[step - 1].begin(), of_step[step - 1].end(), point), 1);
      }
    }
  }
}

TEST_P(StudyTest, StepsDoNotDependOnWhoFinishesFirst) {
  std::vector<std::vector<std::pair<int, Point>>> runs;
  for (const bool reverse : {false, true}) {
    const test::TemporaryFolder folder;
    StudySettings s = settings(3);
    s.steps = {"short", "full"};
    const auto study = create_study((folder.path() / "s.db").string(), s);
    while (!is_complete(*study, problem_, 30)) {
      std::vector<StudyTrial> claimed;
      for (int i = 0; i < 3; ++i) {
        if (const auto trial = claim(*study, problem_, "w", 30, kSilent)) claimed.push_back(*trial);
      }
      ASSERT_FALSE(claimed.empty());
      if (reverse) std::reverse(claimed.begin(), claimed.end());
      for (const StudyTrial& t : claimed)
        study->finish(t.number, "w", rated_by(t.step + 1, t.point));
    }
    runs.emplace_back();
    for (const StudyTrial& t : study->trials()) runs.back().emplace_back(t.step, t.point);
  }
  EXPECT_EQ(runs[0], runs[1]);
}

TEST_P(StudyTest, ReadersDoNotWaitForAWriter) {
  const auto study = create();
  ASSERT_TRUE(claim_as(*study, "a"));
  // Another connection is in the middle of writing.
  const auto writer = GetParam() == Where::file
                          ? open_sqlite(file(), false)
                          : connect_postgres(place(), settings_of_test(1).name, false);
  writer->begin(Access::write);
  writer->run("UPDATE trials SET worker = 'b'");
  const auto begun = std::chrono::steady_clock::now();
  EXPECT_EQ(open()->trials().front().worker, "a");
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(20));
  writer->run("COMMIT");
  EXPECT_EQ(open()->trials().front().worker, "b");
}

TEST_P(StudyTest, ATrialOfADeadWorkerIsTakenOverAndNoLongerItsOwn) {
  const auto study = create();
  const Point point = claim_as(*study, "dead")->point;
  EXPECT_FALSE(claim_as(*study, "living"));
  EXPECT_TRUE(study->heartbeat(0, "dead"));
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  const std::optional<StudyTrial> taken = claim_as(*study, "living", 0.01);
  ASSERT_TRUE(taken);
  EXPECT_EQ(taken->number, 0);
  EXPECT_EQ(taken->point, point);
  EXPECT_EQ(taken->attempts, 2);
  EXPECT_FALSE(study->heartbeat(0, "dead"));
  EXPECT_FALSE(study->finish(0, "dead", {5}));
  EXPECT_TRUE(study->finish(0, "living", {6}));
  EXPECT_EQ(study->trials()[0].objectives, Objectives{6});
}

TEST_P(StudyTest, GoesOnAfterAnImport) {
  const auto study = create();
  const std::vector<StudyTrial> trials = {
      {0, {0, 1, 2, 3, 0, 1, 2, 3}, TrialState::finished, {1.0 / 3}, "", "a", 2},
      {1, {3, 3, 3, 3, 3, 3, 3, 3}, TrialState::failed, {}, "it's \"wrong\"", "b", 1}};
  study->import_contents({trials, {{"harms", "[0.1]"}}});
  EXPECT_EQ(open()->inputs(), (StudyInputs{{"harms", "[0.1]"}}));
  const std::vector<StudyTrial> got = open()->trials();
  ASSERT_EQ(got.size(), 2u);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(got[i].number, trials[i].number);
    EXPECT_EQ(got[i].point, trials[i].point);
    EXPECT_EQ(got[i].state, trials[i].state);
    EXPECT_EQ(got[i].objectives, trials[i].objectives);
    EXPECT_EQ(got[i].reason, trials[i].reason);
    EXPECT_EQ(got[i].worker, trials[i].worker);
    EXPECT_EQ(got[i].attempts, trials[i].attempts);
  }
  EXPECT_EQ(claim_as(*study, "c")->number, 2);
}

StudyTrial finished_first() {
  return {0, {0, 0, 0, 0, 0, 0, 0, 0}, TrialState::finished, {5}, "", "a", 1};
}

TEST_P(StudyTest, ImportsNothingWhereThereAreTrials) {
  const auto study = create();
  study->import_contents({{finished_first()}, {}});
  const std::string message = test::message_of([&] {
    study->import_contents({{finished_first()}, {{"harms", "[1]"}}});
  });
  EXPECT_NE(message.find(": expected a study without trials, found 1"), std::string::npos)
      << message;
  EXPECT_EQ(study->trials().size(), 1u);
  EXPECT_EQ(study->inputs(), StudyInputs());
}

TEST_P(StudyTest, ImportsNothingWhereProposalsFollowFromSomethingElse) {
  const auto study = create();
  study->keep_input("harms", "[1]");
  const std::string message = test::message_of([&] {
    study->import_contents({{finished_first()}, {{"harms", "[2]"}}});
  });
  EXPECT_NE(message.find(": expected a study that has measured nothing, found its harms"),
            std::string::npos)
      << message;
  EXPECT_EQ(study->trials().size(), 0u);
}

TEST_P(StudyTest, ImportsAllOrNothing) {
  const auto study = create();
  EXPECT_THROW(study->import_contents({{finished_first(), finished_first()}, {{"harms", "[1]"}}}),
               InternalError);
  EXPECT_EQ(study->trials().size(), 0u);
  EXPECT_EQ(study->inputs(), StudyInputs());
}

// A worker process, as long as it lives: some milliseconds a trial.
[[noreturn]] void work(const std::string& place, const std::string& name, std::int64_t count) {
  const auto study = open_study(place, name);
  const Problem of = problem();
  const std::string worker = std::to_string(getpid());
  while (!is_complete(*study, of, count)) {
    const std::optional<StudyTrial> trial = claim(*study, of, worker, count, 0.3);
    std::this_thread::sleep_for(std::chrono::milliseconds(3));
    if (trial) study->finish(trial->number, worker, objectives_of(trial->point));
  }
  _exit(0);
}

std::map<std::int64_t, Point> points_of(const StudyStore& store) {
  std::map<std::int64_t, Point> points;
  for (const StudyTrial& t : store.trials()) {
    EXPECT_EQ(t.state, TrialState::finished);
    EXPECT_EQ(t.objectives, objectives_of(t.point));
    points[t.number] = t.point;
  }
  return points;
}

TEST_P(StudyTest, NoTrialIsLostOrDoubledWhenWorkersAreKilled) {
  constexpr std::int64_t kCount = 150;
  constexpr int kWorkers = 4, kKills = 50;
  create(kWorkers);
  const std::string where = place(), name = settings_of_test(1).name;
  std::vector<pid_t> workers(kWorkers, 0);
  RandomStream random = Random(1).stream("kills");
  const auto start = [&](pid_t& pid) {
    pid = fork();
    ASSERT_GE(pid, 0);
    if (pid == 0) work(where, name, kCount);
  };
  for (pid_t& pid : workers) start(pid);
  for (int i = 0; i < kKills; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(random.integer(1, 30)));
    pid_t& pid = workers[static_cast<std::size_t>(random.integer(0, kWorkers - 1))];
    kill(pid, SIGKILL);
    waitpid(pid, nullptr, 0);
    start(pid);
  }
  for (const pid_t pid : workers) {
    int status = 0;
    waitpid(pid, &status, 0);
    EXPECT_EQ(status, 0);
  }
  const auto study = open();
  const std::map<std::int64_t, Point> killed = points_of(*study);
  ASSERT_EQ(killed.size(), static_cast<std::size_t>(kCount));
  // One worker that nobody kills finds the same.
  const auto calm = create_study((folder_.path() / "calm.db").string(), settings(kWorkers));
  while (const std::optional<StudyTrial> trial = claim(*calm, problem_, "calm", kCount, kSilent))
    calm->finish(trial->number, "calm", objectives_of(trial->point));
  EXPECT_EQ(points_of(*calm), killed);
}

TEST_P(StudyTest, IsMadeOnceByWorkersThatBeginTogether) {
  constexpr int kWorkers = 8;
  for (int round = 0; round < 3; ++round) {
    StudySettings s = settings_of_test(1);
    s.name += std::to_string(round);
    const std::string where = GetParam() == Where::file ? file() + s.name : place();
    const auto start = std::chrono::steady_clock::now() + std::chrono::milliseconds(50);
    std::vector<pid_t> workers(kWorkers);
    for (pid_t& pid : workers) {
      pid = fork();
      ASSERT_GE(pid, 0);
      if (pid != 0) continue;
      std::this_thread::sleep_until(start);
      const std::string message = test::message_of([&] { create_study(where, s); });
      if (!message.empty()) std::cerr << message << std::endl;
      _exit(message.empty() ? 0 : 1);
    }
    for (const pid_t pid : workers) {
      int status = 0;
      waitpid(pid, &status, 0);
      EXPECT_EQ(status, 0);
    }
    EXPECT_EQ(open_study(where, s.name)->settings(), s);
  }
}

TEST_P(StudyTest, RefusesAnotherStudy) {
  create();
  StudySettings other = settings_of_test(1);
  other.seed = 8;
  const std::string message = test::message_of([&] { create_study(place(), other); });
  EXPECT_NE(message.find(": holds another study; /seed: expected 7, got 8"), std::string::npos)
      << message;
  const std::string none = test::message_of([&] { open_study(place() + "x", "none"); });
  EXPECT_NE(none, "");
}

}  // namespace
}  // namespace xgen::search
