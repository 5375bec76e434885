#include <algorithm>
#include <cmath>
#include <functional>
#include <iterator>
#include <limits>
#include <optional>

#include "search/gaussian_process.h"
#include "search/line.h"
#include "search/objective_scale.h"
#include "search/sampler.h"
#include "search/trade_off.h"
#include "search/volume_improvement.h"

namespace xgen::search {

namespace {

constexpr std::size_t kFirst = 20;         // trials before there is something to learn from
constexpr std::size_t kFirstByHarm = 8;    // where only what harms do not tell is learned
constexpr int kDraws = 10;                 // of each of those
constexpr std::size_t kCandidates = 1000;  // half of them drawn, half near the best
constexpr int kRounds = 1;                 // of labels: a block and its neighbours
constexpr std::size_t kBestValue = 4;      // each so many-th proposal is for the best value

// Harms below so much of the mean one are alike.
constexpr double kLeastHarm = 0.1;

using Draw = std::function<Point(RandomStream&)>;

// A candidate, before any is known: by harms, where they are.
Draw draw_of(const Question& question, const std::optional<TradeOff>& trade_off) {
  if (trade_off) return [&](RandomStream& r) { return trade_off->draw(r); };
  return [&](RandomStream& r) { return question.problem.space.sample(r); };
}

// How far `a` and `b` are apart in what is known of them.
double square_distance(const Objectives& a, const Objectives& b,
                       const std::vector<ObjectiveScale>& scales) {
  double sum = 0;
  for (std::size_t k = 0; k < a.size(); ++k) {
    const double apart = scales[k].learned(a[k]) - scales[k].learned(b[k]);
    if (!std::isnan(apart)) sum += apart * apart;
  }
  return sum;
}

// Of a few that were not tried the one that is farthest from all others in what is known before:
// most of what is drawn evenly takes a middling time, and what is learned there says little of both
// ends of a front. Mitchell's best candidate (SIGGRAPH 1991).
Point spread_candidate(const Question& question, const Draw& draw) {
  std::vector<Objectives> others, drawn;
  for (const Trial& t : question.trials) others.push_back(question.problem.known(t.point));
  for (const Point& p : question.untold) others.push_back(question.problem.known(p));
  RandomStream random = question.random.stream("spread", question.number);
  std::vector<Point> points;
  for (int i = 0; i < kDraws; ++i) {
    points.push_back(untried(question, random, draw));
    drawn.push_back(question.problem.known(points.back()));
  }
  std::vector<ObjectiveScale> scales;
  for (std::size_t k = 0; k < drawn.front().size(); ++k) {
    std::vector<double> values;
    for (const auto* known : {&others, &drawn})
      for (const Objectives& o : *known) values.push_back(o[k]);
    scales.emplace_back(values);
  }
  const auto to_nearest = [&](const Objectives& known) {
    double nearest = std::numeric_limits<double>::infinity();
    for (const Objectives& other : others)
      nearest = std::min(nearest, square_distance(known, other, scales));
    return nearest;
  };
  std::vector<double> distances;
  std::transform(drawn.begin(), drawn.end(), std::back_inserter(distances), to_nearest);
  return points[static_cast<std::size_t>(std::max_element(distances.begin(), distances.end()) -
                                         distances.begin())];
}

// Candidates that were not tried.
std::vector<Point> candidates(const Question& question, const Draw& draw, RandomStream& random) {
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
      point = draw(random);
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

// What is learned of one objective. Those that are known of candidates come before it; all are on
// the scales on which they are learned. Where harms are known, the process is about what they do
// not say.
class Learned {
 public:
  Learned(const Question& question, std::size_t objective, const std::optional<TradeOff>& trade_off)
      : question_(question), trade_off_(trade_off) {
    std::vector<Objectives> found(question.trials.size());
    const Objectives known = question.problem.known(question.trials.front().point);
    for (std::size_t k = 0; k < known.size(); ++k) {
      if (k == objective || std::isnan(known[k])) continue;
      known_.push_back(k);
      add(k, found);
    }
    add(objective, found);
    reference_ = reference_beyond(found);
    const std::vector<std::size_t> fronts = fronts_of(found);
    std::vector<double> values;
    std::vector<std::vector<double>> distances;
    for (std::size_t i = 0; i < found.size(); ++i) {
      values.push_back(found[i].back());
      if (fronts[i] == 0) front_.push_back(found[i]);
      features_.push_back(features_of(question.trials[i].point));
    }
    std::stable_sort(front_.begin(), front_.end(),
                     [](const Objectives& a, const Objectives& b) { return a.back() < b.back(); });
    for (const GraphFeatures& f : features_) distances.push_back(distances_of(f));
    if (trade_off_) expect_by_harm(values);
    process_.emplace(distances, values);
  }

  // How much better than the best trial a candidate is expected to be.
  double improvement(const Point& point) const {
    return expected_improvement(belief(point), front_.front().back());
  }

  double volume_improvement(const Point& point) const {
    const Objectives known = question_.problem.known(point);
    Objectives own;
    for (std::size_t k = 0; k < known_.size(); ++k)
      own.push_back(scales_[k].learned(known[known_[k]]));
    return expected_volume_improvement(belief(point), own, front_, reference_);
  }

 private:
  void add(std::size_t objective, std::vector<Objectives>& found) {
    std::vector<double> values;
    for (const Trial& t : question_.trials) values.push_back(t.objectives[objective]);
    scales_.emplace_back(values);
    for (std::size_t i = 0; i < values.size(); ++i)
      found[i].push_back(scales_.back().learned(values[i]));
  }
  // Takes from values what harms say of them.
  void expect_by_harm(std::vector<double>& values) {
    std::vector<double> harms;
    for (const Trial& t : question_.trials) harms.push_back(trade_off_->harm(t.point));
    least_harm_ = std::max(kLeastHarm * mean_of(harms), std::numeric_limits<double>::min());
    for (double& harm : harms) harm = std::log(harm + least_harm_);
    by_harm_.emplace(harms, values, deviation_of(harms));
    for (std::size_t i = 0; i < values.size(); ++i) values[i] -= by_harm_->at(harms[i]);
  }
  GraphFeatures features_of(const Point& point) const {
    return weisfeiler_lehman(question_.problem.graph(point), kRounds);
  }
  std::vector<double> distances_of(const GraphFeatures& features) const {
    std::vector<double> distances;
    for (const GraphFeatures& f : features_)
      distances.push_back(std::max(0.0, 2 - 2 * similarity(f, features)));
    return distances;
  }
  GaussianProcess::Belief belief(const Point& point) const {
    GaussianProcess::Belief belief = process_->at(distances_of(features_of(point)));
    if (by_harm_) belief.mean += by_harm_->at(std::log(trade_off_->harm(point) + least_harm_));
    return belief;
  }

  const Question& question_;
  const std::optional<TradeOff>& trade_off_;
  double least_harm_ = 0;
  std::optional<Line> by_harm_;
  std::vector<std::size_t> known_;
  std::vector<ObjectiveScale> scales_;
  std::vector<Objectives> front_;  // by what is learned
  Objectives reference_;
  std::vector<GraphFeatures> features_;
  std::optional<GaussianProcess> process_;
};

}  // namespace

/// Candidates that are spread over what is known before, until there is something to learn from.
/// Then what is expected to add the most hypervolume, and now and then what is expected to have the
/// best value of one objective that must be learned: the ends of a front count little in its
/// volume.
Point bayesian_sampler(const Question& question) {
  std::optional<TradeOff> trade_off;
  if (TradeOff::is_known(question.problem)) trade_off.emplace(question.problem);
  const Draw draw = draw_of(question, trade_off);
  if (question.trials.size() < (trade_off ? kFirstByHarm : kFirst))
    return spread_candidate(question, draw);
  RandomStream random = question.random.stream("bayesian", question.number);
  const std::vector<Point> open = candidates(question, draw, random);
  if (open.empty()) return random_sampler(question);
  const Objectives known = question.problem.known(open.front());
  std::vector<std::size_t> to_learn;
  for (std::size_t k = 0; k < known.size(); ++k) {
    if (std::isnan(known[k])) to_learn.push_back(k);
  }
  if (to_learn.empty()) return random_sampler(question);
  const Learned model(question, to_learn[question.number / kBestValue % to_learn.size()],
                      trade_off);
  const bool best_value = question.number % kBestValue == 0;
  const Point* best = nullptr;
  double most = -std::numeric_limits<double>::infinity();
  for (const Point& point : open) {
    const double improvement =
        best_value ? model.improvement(point) : model.volume_improvement(point);
    if (improvement > most) most = improvement, best = &point;
  }
  return *best;
}

}  // namespace xgen::search
