#include "search/study.h"

#include <algorithm>

#include "core/error.h"
#include "search/halving.h"

namespace xgen::search {

namespace {

// Trials of a step after which samplers learn from it rather than from cheaper ones, as BOHB
// (Falkner et al., ICML 2018, arXiv:1807.01774) learns from the dearest that tells enough.
constexpr std::size_t kEnough = 20;

struct Proposal {
  int step = 0;
  Point point;
};

// What the first trials found, and which candidates all have begun.
struct Known {
  std::vector<Rated> rated;
  std::vector<std::vector<Point>> begun;  // by step
  bool waits = false;                     // for one of the first trials
};

Known known_of(const StudySettings& settings, const std::vector<StudyTrial>& all, std::size_t told,
               const Problem& problem) {
  Known known;
  known.begun.resize(settings.steps.size());
  for (std::size_t i = 0; i < all.size(); ++i) {
    const StudyTrial& trial = all[i];
    const auto step = static_cast<std::size_t>(trial.step);
    XGEN_CHECK(step < known.begun.size(), "trial ", trial.number, " of step ", step);
    known.begun[step].push_back(trial.point);
    if (i >= told) continue;
    known.waits = known.waits || trial.state == TrialState::running;
    if (trial.state == TrialState::finished)
      known.rated.push_back({step, &trial.point, &trial.objectives,
                             !problem.keeps || problem.keeps(step, trial.objectives)});
  }
  return known;
}

// The dearest step that tells enough.
std::size_t learned_step(const Known& known) {
  std::vector<std::size_t> rated(known.begun.size());
  for (const Rated& r : known.rated) ++rated[r.step];
  std::size_t step = rated.size() - 1;
  while (step > 0 && rated[step] < kEnough) --step;
  return step;
}

Point new_candidate(const StudySettings& settings, const Known& known, std::size_t number,
                    const Problem& problem) {
  const std::size_t step = learned_step(known);
  std::vector<Trial> trials;
  std::vector<Point> untold = known.begun.front();
  for (const Rated& r : known.rated) {
    if (r.step != step) continue;
    trials.push_back({*r.point, *r.objectives});
    untold.erase(std::find(untold.begin(), untold.end(), *r.point));
  }
  return find_sampler(settings.sampler,
                      settings.name)({problem, Random(settings.seed), number, trials, untold});
}

std::optional<Promotion> promotion_by(const StudySettings& settings, const Known& known,
                                      const Problem& problem) {
  return next_promotion(known.rated, known.begun,
                        {settings.reduction, settings.bootstrap, problem.most});
}

// The next trial by what is known; nothing where none follows from them.
std::optional<Proposal> proposal_by(const StudySettings& settings, const Known& known,
                                    std::size_t number, const Problem& problem,
                                    std::int64_t count) {
  if (const auto promotion = promotion_by(settings, known, problem))
    return Proposal{static_cast<int>(promotion->step), promotion->point};
  if (static_cast<std::int64_t>(known.begun.front().size()) >= count) return std::nullopt;
  return Proposal{0, new_candidate(settings, known, number, problem)};
}

// The next trial, where enough is known. Where nothing follows from the trials that it depends on,
// as in the end, it depends on one more.
std::optional<Proposal> propose(const StudySettings& settings, const std::vector<StudyTrial>& all,
                                const Problem& problem, std::int64_t count) {
  const std::size_t open = static_cast<std::size_t>(settings.in_flight) - 1;
  for (std::size_t told = all.size() > open ? all.size() - open : 0; told <= all.size(); ++told) {
    const Known known = known_of(settings, all, told, problem);
    if (known.waits) return std::nullopt;
    if (auto proposal = proposal_by(settings, known, all.size(), problem, count)) return proposal;
  }
  return std::nullopt;
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
    const std::optional<Proposal> next = propose(settings, all, problem, count);
    if (!next) return std::nullopt;
    // Another worker that was first proposed the same candidate: the next one is asked for.
    if (!store.add(number, next->point, next->step, worker)) continue;
    StudyTrial trial;
    trial.number = number;
    trial.point = next->point;
    trial.step = next->step;
    trial.worker = worker;
    return trial;
  }
}

bool is_complete(const StudyStore& store, const Problem& problem, std::int64_t count) {
  const std::vector<StudyTrial> all = store.trials();
  const StudySettings settings = store.settings();
  const Known known = known_of(settings, all, all.size(), problem);
  return !known.waits && static_cast<std::int64_t>(known.begun.front().size()) >= count &&
         !promotion_by(settings, known, problem);
}

}  // namespace xgen::search
