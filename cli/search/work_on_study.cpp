#include <algorithm>
#include <chrono>
#include <string>
#include <thread>

#include "cli/requirements_error.h"
#include "cli/search/choice_harms.h"
#include "cli/search/run_trial.h"
#include "cli/search/worker.h"
#include "codegen/targets.h"
#include "core/error.h"
#include "core/interrupt.h"
#include "search/candidate_cost.h"
#include "search/sql_study.h"

namespace xgen::cli {

namespace {

constexpr int kDraws = 10;  // of candidates that may keep what is required
constexpr std::chrono::milliseconds kWait{500};

// Of candidates drawn at random and changed towards what is required, the first one that keeps it.
search::Point candidate_in(const LoadedSearch& search, const search::Problem& problem,
                           const latency::LatencyTable& table) {
  RandomStream random = Random(search.config.seed).stream("requirements");
  search::Point nearest;
  for (int i = 0; i < kDraws; ++i) {
    search::Point point = search::nearest_allowed(problem, problem.space.sample(random), random);
    if (problem.allows(point)) return point;
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

}  // namespace

void work_on_study(const LoadedSearch& search) {
  const search::SearchConfig& config = search.config;
  if (config.run.empty())
    throw UserError(str(search.file.string(),
                        ": /run: expected the config of a run that trains "
                        "a candidate, found none"));
  Judge judge(search);
  const latency::LatencyTable table = table_of(search);
  search::Problem problem = problem_of(search, table);
  // Said before anything is trained.
  const search::Point first = candidate_in(search, problem, table);
  for (std::size_t step = 0; step < std::max<std::size_t>(1, config.steps.size()); ++step)
    overrides_of(search, first, step);
  const auto study = search::create_study(search.place(), settings_of(search));
  if (config.compression && config.compression->sensitivity)
    problem.harm = choice_harms(search, *study);
  while (!is_complete(*study, problem, config.trials)) {
    if (interrupt_requested())
      throw Interrupted("the search was stopped; it goes on when called again");
    give_back_orphans(*study);
    const std::optional<search::StudyTrial> trial =
        claim(*study, problem, worker_name(), config.trials, kSilentSeconds);
    if (trial)
      run_trial(search, problem, judge, *study, *trial);
    else
      std::this_thread::sleep_for(kWait);
  }
}

}  // namespace xgen::cli
