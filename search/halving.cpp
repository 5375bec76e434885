#include "search/halving.h"

#include <algorithm>
#include <iterator>

#include "search/line.h"
#include "search/objective_scale.h"

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

// What the next step will find of one objective: as here, until it has found something.
void expect(std::vector<Entrant>& entrants, std::size_t objective) {
  std::vector<double> here, x, y;
  for (const Entrant& e : entrants) {
    here.push_back(e.here[objective]);
    if (!e.next) continue;
    x.push_back(e.here[objective]);
    y.push_back((*e.next)[objective]);
  }
  const ObjectiveScale scale(here), next(y);
  const Line line(scale.learned(x), next.learned(y), deviation_of(scale.learned(here)));
  for (Entrant& e : entrants) {
    const double value = e.here[objective];
    e.expected.push_back(e.next      ? (*e.next)[objective]
                         : y.empty() ? value
                                     : next.value(line.at(scale.learned(value))));
  }
}

// As wide as what either step knows: errors that are foretold are closer together than those that
// were found before, and a narrow reference would leave out the fast end of a front. Scores of
// proxies are negated and lie below all errors.
Objectives reference_of(const std::vector<Entrant>& entrants) {
  std::vector<Objectives> here, expected;
  for (const Entrant& e : entrants) {
    here.push_back(e.here);
    expected.push_back(e.expected);
  }
  Objectives reference = reference_beyond(here);
  const Objectives of_expected = reference_beyond(expected);
  for (std::size_t k = 0; k < reference.size(); ++k)
    reference[k] = std::max(reference[k], of_expected[k]);
  return reference;
}

bool is_within(const Objectives& objectives, const Objectives& most) {
  for (std::size_t k = 0; k < most.size(); ++k) {
    if (objectives[k] > most[k]) return false;
  }
  return true;
}

// Whether the most that counts can be compared with what candidates have: before the next step has
// found anything nothing is foretold of it, and its errors may all be below those here.
bool is_foretold(const std::vector<Entrant>& entrants, const Objectives& most) {
  return std::any_of(entrants.begin(), entrants.end(), [&](const Entrant& e) {
    return e.next || (!e.began_next && is_within(e.here, most));
  });
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
// @param most  that counts of each objective; none: any.
std::vector<const Entrant*> best_first(std::vector<Entrant>& entrants, std::size_t count,
                                       const Objectives& most) {
  std::vector<Objectives> here;
  for (const Entrant& e : entrants) here.push_back(e.here);
  const std::vector<std::size_t> fronts = fronts_of(here);
  for (std::size_t k = 0; k < here.front().size(); ++k) expect(entrants, k);
  Objectives reference = reference_of(entrants);
  for (std::size_t k = 0; k < most.size(); ++k) reference[k] = std::min(reference[k], most[k]);
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
    const bool last = step + 2 == begun.size();
    const Objectives most =
        last && is_foretold(entrants, halving.most) ? halving.most : Objectives();
    for (const Entrant* entrant : best_first(entrants, may_go_on, most)) {
      if (!entrant->began_next && is_within(entrant->expected, most))
        return Promotion{step + 1, *entrant->point};
    }
  }
  return std::nullopt;
}

}  // namespace xgen::search
