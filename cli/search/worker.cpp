#include "cli/search/worker.h"

#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>

#include "core/error.h"
#include "core/log.h"

namespace xgen::cli {

namespace {

using namespace std::chrono_literals;

// Ten times as often as a silent worker is taken for dead.
constexpr std::chrono::milliseconds kBeat = 10s, kPoll = 50ms;

std::string host_name() {
  char name[256] = {};
  gethostname(name, sizeof name - 1);
  return name;
}

}  // namespace

std::string worker_name() { return str(host_name(), ":", getpid()); }

void give_back_orphans(search::StudyStore& study) {
  const std::string here = host_name() + ":";
  for (const search::StudyTrial& trial : study.trials()) {
    if (trial.state != search::TrialState::running || !trial.worker.starts_with(here)) continue;
    const pid_t pid = static_cast<pid_t>(std::stol(trial.worker.substr(here.size())));
    if (kill(pid, 0) != 0 && errno == ESRCH) study.release(trial.number, trial.worker);
  }
}

Heartbeat::Heartbeat(const LoadedSearch& search, std::int64_t number)
    : thread_([this, &search, number] { beat(search, number); }) {}

Heartbeat::~Heartbeat() {
  ended_ = true;
  thread_.join();
}

// A study that cannot be reached for a while is tried again: a trial that nobody hears of is given
// to another worker.
void Heartbeat::beat(const LoadedSearch& search, std::int64_t number) {
  std::unique_ptr<search::StudyStore> study;
  for (auto next = std::chrono::steady_clock::now(); !ended_ && !overtaken_;) {
    if (std::chrono::steady_clock::now() >= next) {
      try {
        if (study == nullptr) study = study_of(search);
        overtaken_ = !study->heartbeat(number, worker_name());
      } catch (const UserError& error) {
        log::warning(error.what());
      }
      next = std::chrono::steady_clock::now() + kBeat;
    }
    std::this_thread::sleep_for(kPoll);
  }
}

}  // namespace xgen::cli
