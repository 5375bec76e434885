#include "search/space.h"

#include "core/error.h"

namespace xgen::search {

namespace {

int count_of(const Parameter& p) { return static_cast<int>(p.choices.size()); }

}  // namespace

bool Space::contains(const Point& point) const {
  if (point.size() != parameters.size()) return false;
  for (std::size_t i = 0; i < point.size(); ++i) {
    if (point[i] < 0 || point[i] >= count_of(parameters[i])) return false;
  }
  return true;
}

double Space::size() const {
  double size = 1;
  for (const Parameter& p : parameters) size *= count_of(p);
  return size;
}

Point Space::sample(RandomStream& random) const {
  Point point;
  for (const Parameter& p : parameters)
    point.push_back(static_cast<int>(random.integer(0, count_of(p) - 1)));
  return point;
}

Point Space::mutate(Point point, RandomStream& random) const {
  XGEN_CHECK(contains(point), "a point of another space than ", name);
  std::vector<std::size_t> open;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    if (count_of(parameters[i]) > 1) open.push_back(i);
  }
  if (open.empty()) return point;
  const std::size_t at =
      open[static_cast<std::size_t>(random.integer(0, static_cast<std::int64_t>(open.size()) - 1))];
  const auto other = static_cast<int>(random.integer(0, count_of(parameters[at]) - 2));
  point[at] = other < point[at] ? other : other + 1;
  return point;
}

}  // namespace xgen::search
