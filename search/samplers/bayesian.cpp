#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "search/gaussian_process.h"
#include "search/sampler.h"

namespace xgen::search {

namespace {

constexpr std::size_t kFirst = 20;         // trials before there is something to learn from
constexpr int kDraws = 10;                 // of each of those
constexpr std::size_t kCandidates = 1000;  // half of them drawn, half near the best
constexpr int kRounds = 1;                 // of labels: a block and its neighbours

// Errors, losses and times differ by factors.
double learned(double value) { return value > 0 ? std::log(value) : value; }

// The sum of squares by how far `a` and `b` are apart in what is known of them, as factors.
double distance(const Objectives& a, const Objectives& b) {
  double sum = 0;
  for (std::size_t k = 0; k < a.size(); ++k) {
    const double factor = learned(a[k]) - learned(b[k]);
    if (!std::isnan(factor)) sum += factor * factor;
  }
  return sum;
}

// Of a few that were not tried the one that is farthest from all others in what is known before:
// most of what is drawn evenly takes a middling time, and what is learned there says little of both
// ends of a front. Mitchell's best candidate (SIGGRAPH 1991).
Point spread_candidate(const Question& question) {
  std::vector<Objectives> others;
  for (const Trial& t : question.trials) others.push_back(question.problem.known(t.point));
  for (const Point& p : question.untold) others.push_back(question.problem.known(p));
  RandomStream random = question.random.stream("spread", question.number);
  Point best;
  double farthest = -1;
  for (int draw = 0; draw < kDraws; ++draw) {
    Point point = untried(question, random,
                          [&](RandomStream& r) { return question.problem.space.sample(r); });
    const Objectives known = question.problem.known(point);
    double nearest = std::numeric_limits<double>::infinity();
    for (const Objectives& other : others) nearest = std::min(nearest, distance(known, other));
    if (nearest > farthest) farthest = nearest, best = std::move(point);
  }
  return best;
}

// Candidates that were not tried.
std::vector<Point> candidates(const Question& question, RandomStream& random) {
  std::vector<Objectives> objectives;
  for (const Trial& t : question.trials) objectives.push_back(t.objectives);
  const std::vector<std::size_t> fronts = fronts_of(objectives);
  std::vector<const Point*> best;
  for (std::size_t i = 0; i < fronts.size(); ++i) {
    if (fronts[i] == 0) best.push_back(&question.trials[i].point);
  }
  const Space& space = question.problem.space;
  std::vector<Point> all;
  for (std::size_t i = 0; i < kCandidates; ++i) {
    Point point;
    if (i % 2 == 0) {
      point = space.sample(random);
    } else {
      point = *best[static_cast<std::size_t>(
          random.integer(0, static_cast<std::int64_t>(best.size()) - 1))];
      for (std::int64_t changes = random.integer(1, 3); changes > 0; --changes)
        point = space.mutate(std::move(point), random);
    }
    if (!was_tried(question, point) && question.problem.allows(point))
      all.push_back(std::move(point));
  }
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

// What is learned of one objective, and the trials that it was learned from.
class Learned {
 public:
  Learned(const Question& question, std::size_t objective)
      : question_(question), objective_(objective) {
    for (const Trial& t : question.trials) {
      features_.push_back(weisfeiler_lehman(question.problem.graph(t.point), kRounds));
      values_.push_back(learned(t.objectives[objective]));
    }
    std::vector<std::vector<double>> distances;
    for (const GraphFeatures& f : features_) distances.push_back(distances_of(f));
    process_.emplace(distances, values_);
  }

  // Of a candidate's objective, over the best trial; among `rivals` alone.
  double improvement(const Point& point, const std::vector<bool>& rivals) const {
    double best = *std::max_element(values_.begin(), values_.end());
    for (std::size_t i = 0; i < values_.size(); ++i) {
      if (rivals[i]) best = std::min(best, values_[i]);
    }
    return expected_improvement(
        process_->at(distances_of(weisfeiler_lehman(question_.problem.graph(point), kRounds))),
        best);
  }

  // Trials that are no worse in the objectives which are known of a candidate.
  std::vector<bool> no_worse(const Objectives& known) const {
    std::vector<bool> rivals;
    for (const Trial& t : question_.trials) {
      bool rival = true;
      for (std::size_t k = 0; k < known.size(); ++k)
        rival = rival && (k == objective_ || std::isnan(known[k]) || t.objectives[k] <= known[k]);
      rivals.push_back(rival);
    }
    return rivals;
  }

 private:
  std::vector<double> distances_of(const GraphFeatures& features) const {
    std::vector<double> distances;
    for (const GraphFeatures& f : features_)
      distances.push_back(std::max(0.0, 2 - 2 * similarity(f, features)));
    return distances;
  }

  const Question& question_;
  std::size_t objective_;
  std::vector<GraphFeatures> features_;
  std::vector<double> values_;
  std::optional<GaussianProcess> process_;
};

}  // namespace

/// Candidates that are spread over what is known before, until there is something to learn from.
/// Then in turns what is expected to have the best value of one objective that must be learned, and
/// what is expected to improve it most over the trials that are no worse in all objectives which
/// are known before: the ends of a front count little in its volume.
Point bayesian_sampler(const Question& question) {
  if (question.trials.size() < kFirst) return spread_candidate(question);
  RandomStream random = question.random.stream("bayesian", question.number);
  const std::vector<Point> open = candidates(question, random);
  if (open.empty()) return random_sampler(question);
  const Objectives known = question.problem.known(open.front());
  std::vector<std::size_t> to_learn;
  for (std::size_t k = 0; k < known.size(); ++k) {
    if (std::isnan(known[k])) to_learn.push_back(k);
  }
  if (to_learn.empty()) return random_sampler(question);
  const Learned model(question, to_learn[question.number / 2 % to_learn.size()]);
  const std::vector<bool> all(question.trials.size(), true);
  const Point* best = nullptr;
  double most = -std::numeric_limits<double>::infinity();
  for (const Point& point : open) {
    const std::vector<bool> rivals =
        question.number % 2 == 0 ? all : model.no_worse(question.problem.known(point));
    const double improvement = model.improvement(point, rivals);
    if (improvement > most) most = improvement, best = &point;
  }
  return *best;
}

}  // namespace xgen::search
