#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>

#include "cli/requirements_error.h"
#include "cli/search/judge.h"
#include "cli/search/search_run.h"
#include "codegen/latency/kernel_times.h"
#include "codegen/targets.h"
#include "core/config_file.h"
#include "core/error.h"
#include "core/interrupt.h"
#include "core/log.h"
#include "core/onnx/export.h"
#include "search/candidate_cost.h"
#include "search/sql_study.h"

namespace xgen::cli {

namespace {

using namespace std::chrono_literals;
using nlohmann::json;

// A worker that has not been heard of for so long is dead: it says that it lives ten times as
// often.
constexpr int kDraws = 10;  // of candidates that may keep what is required

constexpr double kSilentSeconds = 100;
constexpr std::chrono::milliseconds kBeat = 10s, kPoll = 50ms, kWait = 500ms;

std::string host_name() {
  char name[256] = {};
  gethostname(name, sizeof name - 1);
  return name;
}
std::string worker_name() { return str(host_name(), ":", getpid()); }

// Trials of processes of this machine that are no more need not be waited for.
void give_back_orphans(search::StudyStore& study) {
  const std::string here = host_name() + ":";
  for (const search::StudyTrial& trial : study.trials()) {
    if (trial.state != search::TrialState::running || !trial.worker.starts_with(here)) continue;
    const pid_t pid = static_cast<pid_t>(std::stol(trial.worker.substr(here.size())));
    if (kill(pid, 0) != 0 && errno == ESRCH) study.release(trial.number, trial.worker);
  }
}

// Says in a thread of its own that the trial's worker lives.
class Heartbeat {
 public:
  Heartbeat(const LoadedSearch& search, std::int64_t number)
      : thread_([this, &search, number] { beat(search, number); }) {}
  ~Heartbeat() {
    ended_ = true;
    thread_.join();
  }
  Heartbeat(const Heartbeat&) = delete;
  Heartbeat& operator=(const Heartbeat&) = delete;

 private:
  // A study that cannot be reached for a while is tried again: a trial that nobody hears of is
  // given to another worker.
  void beat(const LoadedSearch& search, std::int64_t number) {
    std::unique_ptr<search::StudyStore> study;
    for (auto next = std::chrono::steady_clock::now(); !ended_;) {
      if (std::chrono::steady_clock::now() >= next) {
        try {
          if (study == nullptr) study = study_of(search);
          study->heartbeat(number, worker_name());
        } catch (const UserError& error) {
          log::warning(error.what());
        }
        next = std::chrono::steady_clock::now() + kBeat;
      }
      std::this_thread::sleep_for(kPoll);
    }
  }

  std::atomic<bool> ended_ = false;
  std::thread thread_;
};

// The exit code of the run; its messages go to a file.
int run_process(const std::vector<std::string>& arguments, const std::filesystem::path& messages) {
  std::vector<char*> argv;
  for (const std::string& a : arguments) argv.push_back(const_cast<char*>(a.c_str()));
  argv.push_back(nullptr);
  const pid_t worker = getpid(), pid = fork();
  if (pid < 0) throw UserError("no further process can be started");
  if (pid == 0) {
    // A worker that is killed takes its run along: the next worker goes on in the same folder.
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != worker) _exit(127);  // it was killed before that was said
    if (freopen(messages.c_str(), "w", stderr) == nullptr ||
        freopen("/dev/null", "w", stdout) == nullptr)
      _exit(127);
    execv("/proc/self/exe", argv.data());
    _exit(127);
  }
  for (bool told = false;;) {
    int status = 0;
    if (waitpid(pid, &status, WNOHANG) == pid)
      return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    if (interrupt_requested() && !told) {
      kill(pid, SIGINT);
      told = true;
    }
    std::this_thread::sleep_for(kPoll);
  }
}

// What a run says when it fails.
std::string last_line(const std::filesystem::path& file) {
  std::ifstream in(file);
  std::string line, last;
  while (std::getline(in, line)) {
    if (!line.empty()) last = line;
  }
  const std::string speaker = "xgen-train: ";
  return last.starts_with(speaker) ? last.substr(speaker.size()) : last;
}

// Of the network that a run ended with: accuracy on the validation samples; time, size and memory
// as compiled, or where the run does not compile as they are known before.
search::Objectives objectives_of(const json& report, const std::vector<std::string>& names,
                                 const search::Objectives& known) {
  const json& last_stage = report.at("stages").back();
  const bool compiled = last_stage.at("kind") == "compile";
  const json& last = compiled ? last_stage.at("variants").back() : last_stage;
  const json keys = {
      {"latency_ms", "latency_ms"}, {"size_bytes", "size_bytes"}, {"peak_bytes", "memory_bytes"}};
  search::Objectives objectives;
  for (std::size_t k = 0; k < names.size(); ++k) {
    if (names[k] == "error")
      objectives.push_back(100 * (1 - last.at("validation").at("top1").get<double>()));
    else
      objectives.push_back(compiled ? last.at(keys.at(names[k])).get<double>() : known[k]);
  }
  return objectives;
}

std::string text_of(const search::Objectives& objectives, const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t i = 0; i < names.size(); ++i)
    text += str(i == 0 ? "" : ", ", names[i], " ", objectives[i]);
  return text;
}

// Where the times of kernels are kept that trials of this and other studies ask for.
std::optional<std::filesystem::path> kernel_times_of(const LoadedSearch& search) {
  const Target target = find_target(search.config.target);
  if (!runs_here(target)) return std::nullopt;
  return latency::kernel_times_file(latency::host_platform(target));
}

// What a step that is no run says of the trial's candidate; ends the trial.
void judge_trial(const LoadedSearch& search, const search::Problem& problem, Judge& judge,
                 search::StudyStore& study, const search::StudyTrial& trial) {
  const auto step = static_cast<std::size_t>(trial.step);
  search::Objectives objectives = problem.known(trial.point);
  const Heartbeat heartbeat(search, trial.number);
  try {
    judge.prepare(step);
  } catch (...) {  // of use to no candidate
    study.release(trial.number, trial.worker);
    throw;
  }
  try {
    const double error = judge.error(step, trial.point);
    for (std::size_t k = 0; k < objectives.size(); ++k) {
      if (search.config.objectives[k] == "error") objectives[k] = error;
    }
  } catch (const UserError& error) {
    log::warning(str("trial ", trial.number, " failed: ", error.what()));
    study.fail(trial.number, trial.worker, error.what());
    return;
  }
  if (study.finish(trial.number, trial.worker, objectives))
    log::info(str("trial ", trial.number, " (", search.config.steps[step].name,
                  "): ", text_of(objectives, search.config.objectives)));
}

// What the trial's run starts from.
ir::Graph initial_network(const LoadedSearch& search, Judge& judge,
                          const search::StudyTrial& trial) {
  const auto step = static_cast<std::size_t>(trial.step);
  const std::vector<search::StepConfig>& steps = search.config.steps;
  return steps.empty() || !steps[step].blocks ? network_of(search, trial.point)
                                              : judge.assembled(step, trial.point);
}

// Trains and compiles the trial's candidate, or goes on with that; ends the trial.
void run_trial(const LoadedSearch& search, const search::Problem& problem, Judge& judge,
               search::StudyStore& study, const search::StudyTrial& trial) {
  const std::filesystem::path folder =
      std::filesystem::absolute(search.output) / "trials" / std::to_string(trial.number);
  std::filesystem::create_directories(folder);
  const std::filesystem::path model = folder / "candidate.onnx", run = folder / "run",
                              messages = folder / "messages.txt",
                              known_times = folder / "kernel_times.json";
  const std::optional<std::filesystem::path> kernel_times = kernel_times_of(search);
  if (!std::filesystem::exists(model)) {
    const Heartbeat heartbeat(search, trial.number);
    try {
      export_onnx(initial_network(search, judge, trial), model);
    } catch (...) {  // of use to no candidate
      study.release(trial.number, trial.worker);
      throw;
    }
  }
  std::vector<std::string> command = {
      "xgen-train", "run",        search.beside(search.config.run).string(),
      "--output",   run.string(), "--resume"};
  const std::vector<std::string> overrides =
      overrides_of_run(search, trial, static_cast<std::size_t>(trial.step), model);
  // What others timed when the trial began is an input of it.
  if (kernel_times && std::filesystem::exists(*kernel_times) && !std::filesystem::exists(run))
    std::filesystem::copy_file(*kernel_times, known_times,
                               std::filesystem::copy_options::overwrite_existing);
  if (std::filesystem::exists(known_times))
    command.insert(command.end(), {"--measurements", known_times.string()});
  for (const std::string& override : overrides) {
    command.emplace_back("--set");
    command.push_back(override);
  }
  const int code = [&] {
    const Heartbeat heartbeat(search, trial.number);
    return run_process(command, messages);
  }();
  if (interrupt_requested()) {
    study.release(trial.number, trial.worker);
    throw Interrupted(str("trial ", trial.number, " was given back; ", messages.string(),
                          " says how far it came"));
  }
  // 3: requirements of the run that this candidate does not meet.
  if (code != 0 && code != 3) {
    const std::string reason = str(last_line(messages), " (exit code ", code, ")");
    log::warning(str("trial ", trial.number, " failed: ", reason));
    study.fail(trial.number, trial.worker, reason);
    return;
  }
  if (kernel_times && std::filesystem::exists(run / "measurements.json"))
    latency::keep_kernel_times(run / "measurements.json", *kernel_times);
  const search::Objectives objectives = objectives_of(
      load_config_json(run / "report.json"), search.config.objectives, problem.known(trial.point));
  if (study.finish(trial.number, trial.worker, objectives))
    log::info(str("trial ", trial.number, ": ", text_of(objectives, search.config.objectives)));
}

// Of candidates drawn at random and changed towards what is required, the first one that keeps it.
void check_requirements(const LoadedSearch& search, const search::Problem& problem,
                        const latency::LatencyTable& table) {
  RandomStream random = Random(search.config.seed).stream("requirements");
  search::Point nearest;
  for (int i = 0; i < kDraws; ++i) {
    search::Point point = search::nearest_allowed(problem, problem.space.sample(random), random);
    if (problem.allows(point)) return;
    if (nearest.empty() || problem.violation(point) < problem.violation(nearest))
      nearest = std::move(point);
  }
  std::string choices;
  for (std::size_t k = 0; k < nearest.size(); ++k)
    choices += " " + problem.space.parameters[k].choices[static_cast<std::size_t>(nearest[k])];
  const search::CandidateCost cost =
      search.candidates->cost(nearest, find_target(search.config.target), table);
  throw RequirementsError(str(
      search.file.string(), ": /requirements: no candidate was found that keeps them; the nearest,",
      choices, ", is predicted to take ", 1e-3 * cost.latency.us, " ms (",
      1e-3 * cost.latency.low_us, " to ", 1e-3 * cost.latency.high_us, "), has ", cost.size_bytes,
      " bytes and needs ", cost.peak_bytes, " bytes of memory"));
}

bool is_run(const LoadedSearch& search, int step) {
  const std::vector<search::StepConfig>& steps = search.config.steps;
  return steps.empty() || steps[static_cast<std::size_t>(step)].runs();
}

}  // namespace

void work_on_study(const LoadedSearch& search) {
  const search::SearchConfig& config = search.config;
  if (config.run.empty())
    throw UserError(str(search.file.string(),
                        ": /run: expected the config of a run that trains "
                        "a candidate, found none"));
  // Said before anything is trained.
  const search::Point first = [&] {
    RandomStream random = Random(config.seed).stream("first");
    return search.candidates->space().sample(random);
  }();
  for (std::size_t step = 0; step < std::max<std::size_t>(1, config.steps.size()); ++step)
    overrides_of(search, first, step);
  Judge judge(search);
  const latency::LatencyTable table = table_of(search);
  const search::Problem problem = problem_of(search, table);
  check_requirements(search, problem, table);
  const auto study = search::create_study(search.place(), settings_of(search));
  while (!is_complete(*study, config.trials)) {
    if (interrupt_requested())
      throw Interrupted("the search was stopped; it goes on when called again");
    give_back_orphans(*study);
    const std::optional<search::StudyTrial> trial =
        claim(*study, problem, worker_name(), config.trials, kSilentSeconds);
    if (trial && is_run(search, trial->step))
      run_trial(search, problem, judge, *study, *trial);
    else if (trial)
      judge_trial(search, problem, judge, *study, *trial);
    else
      std::this_thread::sleep_for(kWait);
  }
}

}  // namespace xgen::cli
