#include "cli/search/run_trial.h"

#include <fstream>
#include <iterator>

#include "cli/search/child_run.h"
#include "cli/search/found.h"
#include "cli/search/study_results.h"
#include "cli/search/worker.h"
#include "codegen/latency/kernel_times.h"
#include "codegen/targets.h"
#include "core/config_file.h"
#include "core/error.h"
#include "core/interrupt.h"
#include "core/ir/infer_shapes.h"
#include "core/ir/print.h"
#include "core/log.h"
#include "core/onnx/export.h"

namespace xgen::cli {

namespace {

using nlohmann::json;
namespace fs = std::filesystem;

std::string text_of(const search::Objectives& objectives, const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t i = 0; i < names.size(); ++i)
    text += str(i == 0 ? "" : ", ", names[i], " ", objectives[i]);
  return text;
}

// Where the times of kernels are kept that trials of this and other studies ask for.
std::optional<fs::path> kernel_times_place(const LoadedSearch& search) {
  const Target target = find_target(search.config.target);
  if (!runs_here(target)) return std::nullopt;
  return latency::kernel_times_file(latency::host_platform(target));
}

// What the trial's run starts from.
ir::Graph initial_network(const LoadedSearch& search, Judge& judge,
                          const search::StudyTrial& trial) {
  const auto step = static_cast<std::size_t>(trial.step);
  const std::vector<search::StepConfig>& steps = search.config.steps;
  return steps.empty() || !steps[step].blocks ? network_of(search, trial.point)
                                              : judge.assembled(step, trial.point);
}

std::string content_of(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

// Of a trial that is run.
fs::path folder_of(const LoadedSearch& search, const search::StudyTrial& trial) {
  return fs::absolute(run_folder(search, trial)).parent_path();
}

// What a study keeps of a trial besides what it found.
std::map<std::string, std::string> texts_of(const LoadedSearch& search,
                                            const search::StudyTrial& trial) {
  const fs::path folder = folder_of(search, trial);
  // What is printed of weights are their shapes.
  std::map<std::string, std::string> texts = {
      {"graph",
       ir::print(ir::infer_shapes(search.candidates->network(trial.point, std::nullopt)))}};
  for (const auto& [name, file] :
       {std::pair("log", "messages.txt"), std::pair("kernels", "run/measurements.json"),
        std::pair("report", "run/report.json")}) {
    if (fs::exists(folder / file)) texts[name] = content_of(folder / file);
  }
  return texts;
}

// By a step that is no run.
void judge_trial(const LoadedSearch& search, const search::Problem& problem, Judge& judge,
                 search::StudyStore& study, const search::StudyTrial& trial) {
  const auto step = static_cast<std::size_t>(trial.step);
  search::Objectives objectives = problem.known(trial.point);
  const Heartbeat heartbeat(search, trial.number);
  try {
    judge.prepare(step, trial.point);
  } catch (...) {  // of use to no candidate
    study.release(trial.number, trial.worker);
    throw;
  }
  study.keep(trial.number, trial.worker, texts_of(search, trial));
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

// The command that runs a trial, or goes on with it.
std::vector<std::string> command_of(const LoadedSearch& search, const search::StudyTrial& trial) {
  const fs::path folder = folder_of(search, trial), run = folder / "run",
                 known_times = folder / "kernel_times.json";
  std::vector<std::string> command = {"xgen-train",
                                      "run",
                                      search.beside(search.config.run).string(),
                                      "--output",
                                      run.string(),
                                      "--resume",
                                      "--shared-stages",
                                      (fs::absolute(search.output) / "stages").string()};
  // What others timed when the trial began is an input of it.
  const std::optional<fs::path> kernel_times = kernel_times_place(search);
  if (kernel_times && fs::exists(*kernel_times) && !fs::exists(run))
    fs::copy_file(*kernel_times, known_times, fs::copy_options::overwrite_existing);
  if (fs::exists(known_times))
    command.insert(command.end(), {"--measurements", known_times.string()});
  for (const std::string& override : overrides_of_run(
           search, trial, static_cast<std::size_t>(trial.step), folder / "candidate.onnx")) {
    command.emplace_back("--set");
    command.push_back(override);
  }
  return command;
}

// In a process of its own.
void train_trial(const LoadedSearch& search, const search::Problem& problem, Judge& judge,
                 search::StudyStore& study, const search::StudyTrial& trial) {
  const fs::path folder = folder_of(search, trial);
  fs::create_directories(folder);
  const fs::path model = folder / "candidate.onnx", run = folder / "run",
                 messages = folder / "messages.txt";
  Heartbeat heartbeat(search, trial.number);
  if (!fs::exists(model)) {
    try {
      export_onnx(initial_network(search, judge, trial), model);
    } catch (...) {  // of use to no candidate
      study.release(trial.number, trial.worker);
      throw;
    }
  }
  const ChildRun ended = run_child(command_of(search, trial), messages, [&] {
    // Whoever has the trial now works in the same folder: nothing may be saved there any more.
    if (heartbeat.is_overtaken()) return Stop::at_once;
    return interrupt_requested() ? Stop::saved : Stop::no;
  });
  if (heartbeat.is_overtaken()) {
    log::warning(str("trial ", trial.number,
                     ": another worker has it, as this one was not heard of for too long"));
    return;
  }
  if (interrupt_requested()) {
    study.release(trial.number, trial.worker);
    throw Interrupted(str("trial ", trial.number, " was given back; ", messages.string(),
                          " says how far it came"));
  }
  study.keep(trial.number, trial.worker, texts_of(search, trial));
  // 3: requirements of the run that this candidate does not meet.
  if (ended.code != 0 && ended.code != 3) {
    const std::string reason = str(ended.last_line, " (exit code ", ended.code, ")");
    log::warning(str("trial ", trial.number, " failed: ", reason));
    study.fail(trial.number, trial.worker, reason);
    return;
  }
  if (const auto kernel_times = kernel_times_place(search);
      kernel_times && fs::exists(run / "measurements.json"))
    latency::keep_kernel_times(run / "measurements.json", *kernel_times);
  const json report = load_config_json(run / "report.json");
  if (const Missed missed = missed_beside_objectives(report, search.config); missed.excess > 0) {
    log::warning(str("trial ", trial.number, " failed: ", missed.text));
    study.fail(trial.number, trial.worker, missed.text);
    return;
  }
  const search::Objectives objectives =
      found_by(report, search.config.objectives, problem.known(trial.point));
  if (study.finish(trial.number, trial.worker, objectives))
    log::info(str("trial ", trial.number, ": ", text_of(objectives, search.config.objectives)));
}

bool is_run(const LoadedSearch& search, int step) {
  const std::vector<search::StepConfig>& steps = search.config.steps;
  return steps.empty() || steps[static_cast<std::size_t>(step)].runs();
}

}  // namespace

void run_trial(const LoadedSearch& search, const search::Problem& problem, Judge& judge,
               search::StudyStore& study, const search::StudyTrial& trial) {
  if (is_run(search, trial.step))
    train_trial(search, problem, judge, study, trial);
  else
    judge_trial(search, problem, judge, study, trial);
}

}  // namespace xgen::cli
