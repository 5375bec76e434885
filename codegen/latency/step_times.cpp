#include "codegen/latency/step_times.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <limits>

#include "codegen/latency/timing.h"

namespace xgen {

namespace {

using Clock = std::chrono::steady_clock;

// What a last-level cache holds of a network changes over so many runs.
constexpr int kRunsBefore = 2;   // and those that time the whole
constexpr double kTurnUs = 200;  // about how long the runs of a turn that count take
constexpr int kFewestRuns = 3, kMostRuns = 10;
constexpr double kAgree = 0.02;  // relative
// Large models are not waited for so long as to settle.
constexpr double kMostSeconds = 15;
constexpr int kFewestTurns = 3;

constexpr double kNever = std::numeric_limits<double>::infinity();

double microseconds(Clock::duration time) {
  return std::chrono::duration<double, std::micro>(time).count();
}

double clock_us() {
  double least = kNever;
  for (int i = 0; i < 1000; ++i) {
    const Clock::time_point start = Clock::now();
    least = std::min(least, microseconds(Clock::now() - start));
  }
  return least;
}

double time_run(TimedModel& model) {
  const Clock::time_point start = Clock::now();
  model.run();
  return microseconds(Clock::now() - start);
}

}  // namespace

StepTurns::StepTurns(TimedModel& model) : model_(&model), clock_us_(clock_us()) {
  runs_per_turn_ =
      std::clamp(static_cast<int>(kTurnUs / time_run(*model_)), kFewestRuns, kMostRuns);
  least_.run_us = kNever;
  least_.step_us.assign(static_cast<std::size_t>(model_->model().step_count()), kNever);
}

void StepTurns::take() {
  for (int i = 0; i < kRunsBefore; ++i) model_->run();
  std::vector<double> whole;
  std::vector<std::vector<double>> steps(least_.step_us.size());
  for (int i = 0; i < runs_per_turn_; ++i) whole.push_back(time_run(*model_));
  for (int i = 0; i < runs_per_turn_; ++i) {
    Clock::time_point last = Clock::now();
    for (std::size_t s = 0; s < steps.size(); ++s) {
      model_->run_step(static_cast<int>(s));
      const Clock::time_point now = Clock::now();
      steps[s].push_back(std::max(1e-4, microseconds(now - last) - clock_us_));
      last = now;
    }
  }
  runs_.push_back(median(std::move(whole)));
  least_.run_us = std::min(least_.run_us, runs_.back());
  for (std::size_t s = 0; s < steps.size(); ++s)
    least_.step_us[s] = std::min(least_.step_us[s], median(std::move(steps[s])));
}

bool StepTurns::is_settled() const { return least_agree(runs_); }

bool least_agree(std::vector<double> us) {
  if (us.size() < 3) return false;
  std::partial_sort(us.begin(), us.begin() + 3, us.end());
  return us[2] <= (1 + kAgree) * us[0];
}

std::vector<StepTimes> time_steps(const std::vector<TimedModel*>& models, int fewest, int most,
                                  const std::function<void()>& each_round) {
  std::vector<StepTurns> turns;
  for (TimedModel* model : models) turns.emplace_back(*model);
  const Clock::time_point start = Clock::now();
  for (int round = 0; round < most; ++round) {
    for (StepTurns& t : turns) t.take();
    if (each_round) each_round();
    if (round + 1 >= std::min(fewest, kFewestTurns) &&
        Clock::now() - start > std::chrono::duration<double>(kMostSeconds))
      break;
    if (round + 1 >= fewest &&
        std::all_of(turns.begin(), turns.end(), [](const StepTurns& t) { return t.is_settled(); }))
      break;
  }
  std::vector<StepTimes> times;
  for (const StepTurns& t : turns) times.push_back(t.least());
  return times;
}

}  // namespace xgen
