#include "search/space.h"

#include <algorithm>
#include <numeric>

#include "core/error.h"

namespace xgen::search {

namespace {

constexpr int kDraws = 100;  // of a point that keeps the conditions, before they are solved

int count_of(const Parameter& p) { return static_cast<int>(p.choices.size()); }

bool holds(const Clause& clause, const Point& point) {
  return clause.holds[static_cast<std::size_t>(point[clause.parameter])];
}

bool all_hold(const std::vector<Clause>& clauses, const Point& point) {
  return std::all_of(clauses.begin(), clauses.end(),
                     [&](const Clause& c) { return holds(c, point); });
}

bool keeps(const Condition& condition, const Point& point) {
  return !all_hold(condition.when, point) || all_hold(condition.then, point);
}

bool keeps_all(const Space& space, const Point& point) {
  return std::all_of(space.conditions.begin(), space.conditions.end(),
                     [&](const Condition& c) { return keeps(c, point); });
}

// The parameters that conditions speak of; the others never need a change.
std::vector<std::size_t> bound_parameters(const Space& space) {
  std::vector<std::size_t> bound;
  for (const Condition& condition : space.conditions) {
    for (const auto* clauses : {&condition.when, &condition.then}) {
      for (const Clause& clause : *clauses) bound.push_back(clause.parameter);
    }
  }
  std::sort(bound.begin(), bound.end());
  bound.erase(std::unique(bound.begin(), bound.end()), bound.end());
  return bound;
}

// Changes what conditions speak of, one parameter after the other, back and forth, until all are
// kept: first what the point has, then the other choices.
class Solver {
 public:
  Solver(const Space& space, const std::vector<Clause>& fixed, RandomStream& random)
      : space_(space), fixed_(fixed), random_(random), bound_(bound_parameters(space)) {
    for (const Clause& clause : fixed) bound_.push_back(clause.parameter);
    std::sort(bound_.begin(), bound_.end());
    bound_.erase(std::unique(bound_.begin(), bound_.end()), bound_.end());
    complete_at_.resize(bound_.size());
    for (const Condition& condition : space.conditions)
      complete_at_[last_of(condition)].push_back(&condition);
  }

  bool solve(Point& point, std::size_t at = 0) const {
    if (at == bound_.size()) return true;
    const std::size_t parameter = bound_[at];
    const int wanted = point[parameter];
    std::vector<std::int64_t> order = random_.permutation(count_of(space_.parameters[parameter]));
    std::stable_partition(order.begin(), order.end(), [&](auto c) { return c == wanted; });
    for (const std::int64_t choice : order) {
      point[parameter] = static_cast<int>(choice);
      if (may_be(parameter, point) && keeps_complete(at, point) && solve(point, at + 1))
        return true;
    }
    point[parameter] = wanted;
    return false;
  }

 private:
  // The place in the order of what is decided after which a condition can be asked.
  std::size_t last_of(const Condition& condition) const {
    std::size_t last = 0;
    for (const auto* clauses : {&condition.when, &condition.then}) {
      for (const Clause& clause : *clauses) {
        const auto at = std::lower_bound(bound_.begin(), bound_.end(), clause.parameter);
        last = std::max(last, static_cast<std::size_t>(at - bound_.begin()));
      }
    }
    return last;
  }
  bool may_be(std::size_t parameter, const Point& point) const {
    return std::all_of(fixed_.begin(), fixed_.end(), [&](const Clause& clause) {
      return clause.parameter != parameter || holds(clause, point);
    });
  }
  bool keeps_complete(std::size_t at, const Point& point) const {
    return std::all_of(complete_at_[at].begin(), complete_at_[at].end(),
                       [&](const Condition* c) { return keeps(*c, point); });
  }

  const Space& space_;
  const std::vector<Clause>& fixed_;
  RandomStream& random_;
  std::vector<std::size_t> bound_;
  std::vector<std::vector<const Condition*>> complete_at_;
};

Point drawn(const Space& space, RandomStream& random) {
  Point point;
  for (const Parameter& p : space.parameters)
    point.push_back(static_cast<int>(random.integer(0, count_of(p) - 1)));
  return point;
}

}  // namespace

bool Space::contains(const Point& point) const {
  if (point.size() != parameters.size()) return false;
  for (std::size_t i = 0; i < point.size(); ++i) {
    if (point[i] < 0 || point[i] >= count_of(parameters[i])) return false;
  }
  return keeps_all(*this, point);
}

double Space::size() const {
  double size = 1;
  for (const Parameter& p : parameters) size *= count_of(p);
  return size;
}

Point Space::sample(RandomStream& random) const {
  Point point;
  for (int i = 0; i < kDraws; ++i) {
    point = drawn(*this, random);
    if (keeps_all(*this, point)) return point;
  }
  const std::optional<Point> kept = repaired(point, {}, random);
  if (!kept) throw UserError(str("space \"", name, "\": no candidate keeps all conditions"));
  return *kept;
}

Point Space::mutate(Point point, RandomStream& random) const {
  XGEN_CHECK(contains(point), "a point of another space than ", name);
  std::vector<std::size_t> open;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    if (count_of(parameters[i]) > 1) open.push_back(i);
  }
  while (!open.empty()) {
    const auto chosen =
        static_cast<std::ptrdiff_t>(random.integer(0, static_cast<std::int64_t>(open.size()) - 1));
    const std::size_t at = open[static_cast<std::size_t>(chosen)];
    const auto other = static_cast<int>(random.integer(0, count_of(parameters[at]) - 2));
    Point changed = point;
    changed[at] = other < point[at] ? other : other + 1;
    if (keeps_all(*this, changed)) return changed;
    Clause fixed{at, std::vector<bool>(parameters[at].choices.size(), false)};
    fixed.holds[static_cast<std::size_t>(changed[at])] = true;
    if (std::optional<Point> kept = repaired(changed, {fixed}, random)) return *kept;
    open.erase(open.begin() + chosen);
  }
  return point;
}

std::optional<Point> Space::repaired(const Point& point, const std::vector<Clause>& fixed,
                                     RandomStream& random) const {
  Point changed = point;
  if (!Solver(*this, fixed, random).solve(changed)) return std::nullopt;
  return changed;
}

}  // namespace xgen::search
