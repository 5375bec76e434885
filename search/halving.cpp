#include "search/halving.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <numeric>

namespace xgen::search {

namespace {

// A candidate as two steps know it.
struct Entrant {
  const Point* point;
  Objectives here;
  std::optional<Objectives> next;  // what the next step found
  bool began_next = false;
  Objectives expected;  // of the next step; what it found where it did
};

double mean_of(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

// Errors and times differ by factors; scores of proxies may be negative.
void take_logarithms(std::vector<double>& values) {
  if (std::all_of(values.begin(), values.end(), [](double v) { return v > 0; }))
    for (double& v : values) v = std::log(v);
}

// A line through (x, y) whose slope one more pair pulls to a guess, for few pairs say little.
struct Line {
  double x0, y0, slope;
  Line(const std::vector<double>& x, const std::vector<double>& y, double guess)
      : x0(mean_of(x)), y0(mean_of(y)) {
    double xx = 1, xy = guess;
    for (std::size_t i = 0; i < x.size(); ++i) {
      xx += (x[i] - x0) * (x[i] - x0);
      xy += (x[i] - x0) * (y[i] - y0);
    }
    slope = std::max(0.0, xy / xx);
  }
  double at(double x) const { return y0 + slope * (x - x0); }
};

// What the next step will find of one objective: as here, until it has found something.
void expect(std::vector<Entrant>& entrants, std::size_t objective) {
  std::vector<double> x, paired_x, y;
  for (const Entrant& e : entrants) {
    x.push_back(e.here[objective]);
    if (e.next) y.push_back((*e.next)[objective]);
  }
  if (y.empty()) {
    for (Entrant& e : entrants) e.expected.push_back(e.here[objective]);
    return;
  }
  take_logarithms(x);
  const bool in_factors = std::all_of(y.begin(), y.end(), [](double v) { return v > 0; });
  take_logarithms(y);
  const double middle = mean_of(x);
  double variance = 0;
  for (const double v : x) variance += (v - middle) * (v - middle) / static_cast<double>(x.size());
  const double deviation = std::sqrt(std::max(variance, 1e-18));
  for (double& v : x) v = (v - middle) / deviation;
  for (std::size_t i = 0; i < entrants.size(); ++i)
    if (entrants[i].next) paired_x.push_back(x[i]);
  // Like quantities keep their spread; the scores of proxies, of whatever size, get a factor of e.
  const Line line(paired_x, y, std::min(1.0, deviation));
  for (std::size_t i = 0; i < entrants.size(); ++i) {
    const double foretold = in_factors ? std::exp(line.at(x[i])) : line.at(x[i]);
    entrants[i].expected.push_back(entrants[i].next ? (*entrants[i].next)[objective] : foretold);
  }
}

// A tenth beyond the worst, so that ends of a front count, too.
Objectives reference_of(const std::vector<Entrant>& entrants) {
  Objectives reference;
  for (std::size_t k = 0; k < entrants.front().expected.size(); ++k) {
    const auto less = [k](const Entrant& a, const Entrant& b) {
      return a.expected[k] < b.expected[k];
    };
    const auto [least, most] = std::minmax_element(entrants.begin(), entrants.end(), less);
    const double spread = most->expected[k] - least->expected[k];
    reference.push_back(most->expected[k] + (spread > 0 ? 0.1 * spread : 1));
  }
  return reference;
}

// Moves to the begin of one front those that have begun the next step, then those that add the most
// hypervolume to `found` and to each other: `count` in all.
void best_of_front_first(std::vector<const Entrant*>& front, std::vector<Objectives> found,
                         const Objectives& reference, std::size_t count) {
  const auto volume_with = [&](const Entrant* e) {
    found.push_back(e->expected);
    const double volume = hypervolume(found, reference);
    found.pop_back();
    return volume;
  };
  auto next = std::stable_partition(front.begin(), front.end(),
                                    [](const Entrant* e) { return e->began_next; });
  for (; next - front.begin() < static_cast<std::ptrdiff_t>(count); ++next) {
    std::vector<double> volumes;
    std::transform(next, front.end(), std::back_inserter(volumes), volume_with);
    const auto most = next + (std::max_element(volumes.begin(), volumes.end()) - volumes.begin());
    std::rotate(next, most, most + 1);
    found.push_back((*next)->expected);
  }
}

// The `count` best, the best one first, by fronts.
std::vector<const Entrant*> best_first(std::vector<Entrant>& entrants, std::size_t count) {
  std::vector<Objectives> here;
  for (const Entrant& e : entrants) here.push_back(e.here);
  const std::vector<std::size_t> fronts = fronts_of(here);
  for (std::size_t k = 0; k < here.front().size(); ++k) expect(entrants, k);
  const Objectives reference = reference_of(entrants);
  std::vector<const Entrant*> order;
  for (std::size_t number = 0; order.size() < count; ++number) {
    std::vector<const Entrant*> front;
    std::vector<Objectives> found;  // not of earlier fronts, beside which this one adds nothing
    for (std::size_t i = 0; i < fronts.size(); ++i) {
      if (fronts[i] == number) front.push_back(&entrants[i]);
      if (fronts[i] >= number && entrants[i].began_next) found.push_back(entrants[i].expected);
    }
    const std::size_t wanted = std::min(front.size(), count - order.size());
    best_of_front_first(front, found, reference, wanted);
    order.insert(order.end(), front.begin(), front.begin() + static_cast<std::ptrdiff_t>(wanted));
  }
  return order;
}

std::vector<Entrant> entrants_of(const std::vector<Rated>& rated, std::size_t step,
                                 const std::vector<Point>& begun_next) {
  std::vector<Entrant> entrants;
  for (const Rated& r : rated) {
    if (r.step != step || !r.may_go_on) continue;
    Entrant entrant{r.point, *r.objectives, std::nullopt, false, {}};
    entrant.began_next =
        std::find(begun_next.begin(), begun_next.end(), *r.point) != begun_next.end();
    const auto next = std::find_if(rated.begin(), rated.end(), [&](const Rated& other) {
      return other.step == step + 1 && *other.point == *r.point;
    });
    if (next != rated.end()) entrant.next = *next->objectives;
    entrants.push_back(std::move(entrant));
  }
  return entrants;
}

}  // namespace

std::optional<Promotion> next_promotion(const std::vector<Rated>& rated,
                                        const std::vector<std::vector<Point>>& begun,
                                        const Halving& halving) {
  for (std::size_t step = begun.size() - 1; step-- > 0;) {
    const auto all = static_cast<std::size_t>(std::count_if(
        rated.begin(), rated.end(), [step](const Rated& r) { return r.step == step; }));
    if (step == 0 && begun[0].size() < static_cast<std::size_t>(halving.bootstrap)) continue;
    std::vector<Entrant> entrants = entrants_of(rated, step, begun[step + 1]);
    const std::size_t may_go_on =
        std::min(entrants.size(), all / static_cast<std::size_t>(halving.reduction));
    if (may_go_on == 0) continue;
    for (const Entrant* entrant : best_first(entrants, may_go_on)) {
      if (!entrant->began_next) return Promotion{step + 1, *entrant->point};
    }
  }
  return std::nullopt;
}

}  // namespace xgen::search
