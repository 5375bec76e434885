#include "search/study.h"

#include <algorithm>

namespace xgen::search {

namespace {

// The next trial's candidate, where enough is known.
std::optional<Point> propose(const StudySettings& settings, const std::vector<StudyTrial>& all,
                             const Problem& problem) {
  const std::size_t number = all.size(), open = static_cast<std::size_t>(settings.in_flight) - 1;
  const std::size_t told = number > open ? number - open : 0;
  std::vector<Trial> trials;
  std::vector<Point> untold;
  for (std::size_t i = 0; i < number; ++i) {
    if (i < told && all[i].state == TrialState::running) return std::nullopt;
    if (i < told && all[i].state == TrialState::finished)
      trials.push_back({all[i].point, all[i].objectives});
    else
      untold.push_back(all[i].point);
  }
  return find_sampler(settings.sampler,
                      settings.name)({problem, Random(settings.seed), number, trials, untold});
}

}  // namespace

const char* name_of(TrialState state) {
  switch (state) {
    case TrialState::running:
      return "running";
    case TrialState::finished:
      return "finished";
    case TrialState::failed:
      return "failed";
  }
  return "";
}

std::optional<StudyTrial> claim(StudyStore& store, const Problem& problem,
                                const std::string& worker, std::int64_t count,
                                double silent_seconds) {
  const StudySettings settings = store.settings();
  for (;;) {
    if (std::optional<StudyTrial> orphan = store.take_over(worker, silent_seconds)) return orphan;
    const std::vector<StudyTrial> all = store.trials();
    const auto number = static_cast<std::int64_t>(all.size());
    if (number >= count) return std::nullopt;
    const std::optional<Point> point = propose(settings, all, problem);
    if (!point) return std::nullopt;
    // Another worker that was first proposed the same candidate: the next one is asked for.
    if (!store.add(number, *point, worker)) continue;
    StudyTrial trial;
    trial.number = number;
    trial.point = *point;
    trial.worker = worker;
    return trial;
  }
}

bool is_complete(const StudyStore& store, std::int64_t count) {
  const std::vector<StudyTrial> all = store.trials();
  return static_cast<std::int64_t>(all.size()) >= count &&
         std::none_of(all.begin(), all.end(),
                      [](const StudyTrial& t) { return t.state == TrialState::running; });
}

}  // namespace xgen::search
