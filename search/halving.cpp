#include "search/halving.h"

#include <algorithm>
#include <numeric>

namespace xgen::search {

namespace {

// Positions, the best one first.
std::vector<std::size_t> best_first(const std::vector<Objectives>& objectives) {
  const std::vector<std::size_t> fronts = fronts_of(objectives);
  std::vector<double> room(objectives.size());
  const std::size_t last = fronts.empty() ? 0 : *std::max_element(fronts.begin(), fronts.end());
  for (std::size_t front = 0; front <= last; ++front) {
    std::vector<std::size_t> members;
    std::vector<Objectives> of_members;
    for (std::size_t i = 0; i < fronts.size(); ++i) {
      if (fronts[i] != front) continue;
      members.push_back(i);
      of_members.push_back(objectives[i]);
    }
    const std::vector<double> distances = crowding_distances(of_members);
    for (std::size_t i = 0; i < members.size(); ++i) room[members[i]] = distances[i];
  }
  std::vector<std::size_t> order(objectives.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return fronts[a] != fronts[b] ? fronts[a] < fronts[b] : room[a] > room[b];
  });
  return order;
}

}  // namespace

std::optional<Promotion> next_promotion(const std::vector<Rated>& rated,
                                        const std::vector<std::vector<Point>>& begun,
                                        int reduction) {
  for (std::size_t step = begun.size() - 1; step-- > 0;) {
    std::size_t all = 0;
    std::vector<const Point*> points;
    std::vector<Objectives> objectives;
    for (const Rated& r : rated) {
      if (r.step != step) continue;
      ++all;
      if (!r.may_go_on) continue;
      points.push_back(r.point);
      objectives.push_back(*r.objectives);
    }
    const std::size_t may_go_on =
        std::min(points.size(), all / static_cast<std::size_t>(reduction));
    const std::vector<std::size_t> order = best_first(objectives);
    const std::vector<Point>& next = begun[step + 1];
    for (std::size_t i = 0; i < may_go_on; ++i) {
      const Point& point = *points[order[i]];
      if (std::find(next.begin(), next.end(), point) == next.end())
        return Promotion{step + 1, point};
    }
  }
  return std::nullopt;
}

}  // namespace xgen::search
