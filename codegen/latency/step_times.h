#pragma once

#include <functional>
#include <vector>

#include "codegen/latency/timed_model.h"

namespace xgen {

/// What a model and each of its steps take on a machine that nothing disturbs, microseconds.
struct StepTimes {
  double run_us = 0;            ///< of the whole model.
  std::vector<double> step_us;  ///< by step, within the model's runs.
};

/// Whether the three least of times agree within 2 %.
bool least_agree(std::vector<double> microseconds);

/// Times a model in turns: of some runs the median, by step, where a step finds its data as the
/// steps before left them; of all turns the least.
///
/// A neighbour on the same core or in the same cache slows a machine down by a fifth for some
/// tenths of a second and more. On one that was so disturbed more than half of the time, 65 % of
/// steps that were timed for half a second at two moments agreed within 10 %; the least of 49
/// turns and that of 49 others did for 97 %.
class StepTurns {
 public:
  explicit StepTurns(TimedModel& model);

  void take();
  /// Whether the three least turns agree, so that more would hardly change them.
  bool is_settled() const;
  const StepTimes& least() const { return least_; }

 private:
  TimedModel* model_;
  double clock_us_;  // what looking at the clock takes
  int runs_per_turn_;
  std::vector<double> runs_;  // of the model, microseconds, by turn
  StepTimes least_;
};

/// Models take turns until all are settled, `most` times, or for 15 seconds, but three times at
/// least.
///
/// @param fewest  turns before they can be settled.
/// @param each_round  what else is done in each round, after the models.
std::vector<StepTimes> time_steps(const std::vector<TimedModel*>& models, int fewest = 15,
                                  int most = 101, const std::function<void()>& each_round = {});

}  // namespace xgen
