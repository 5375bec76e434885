#include "search/pareto.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "core/error.h"

namespace xgen::search {

namespace {

// Of points that lie within the reference. The last objective is cut where a point begins; between
// two cuts it is the volume of those before them in one objective less.
double volume(std::vector<Objectives> points, Objectives reference) {
  if (points.empty()) return 0;
  const std::size_t last = reference.size() - 1;
  const auto by_last = [&](const Objectives& a, const Objectives& b) { return a[last] < b[last]; };
  if (last == 0)
    return reference[0] - (*std::min_element(points.begin(), points.end(), by_last))[0];
  std::sort(points.begin(), points.end(), by_last);
  const double end = reference[last];
  reference.pop_back();
  double sum = 0;
  std::vector<Objectives> below;
  for (std::size_t i = 0; i < points.size(); ++i) {
    const double from = points[i][last], to = i + 1 < points.size() ? points[i + 1][last] : end;
    points[i].pop_back();
    below.push_back(points[i]);
    if (to > from) sum += (to - from) * volume(below, reference);
  }
  return sum;
}

}  // namespace

bool dominates(const Objectives& a, const Objectives& b) {
  XGEN_CHECK(a.size() == b.size(), a.size(), " objectives against ", b.size());
  bool better = false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i] > b[i]) return false;
    better = better || a[i] < b[i];
  }
  return better;
}

std::vector<std::size_t> fronts_of(const std::vector<Objectives>& all) {
  const std::size_t none = all.size();
  std::vector<std::size_t> front(all.size(), none);
  std::size_t placed = 0;
  for (std::size_t current = 0; placed < all.size(); ++current) {
    std::vector<std::size_t> members;
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (front[i] != none) continue;
      const bool dominated = [&] {
        for (std::size_t j = 0; j < all.size(); ++j) {
          if (front[j] == none && dominates(all[j], all[i])) return true;
        }
        return false;
      }();
      if (!dominated) members.push_back(i);
    }
    for (const std::size_t i : members) front[i] = current;
    placed += members.size();
  }
  return front;
}

std::vector<double> crowding_distances(const std::vector<Objectives>& front) {
  std::vector<double> distance(front.size(), 0.0);
  if (front.empty()) return distance;
  std::vector<std::size_t> order(front.size());
  std::iota(order.begin(), order.end(), 0);
  for (std::size_t k = 0; k < front.front().size(); ++k) {
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return front[a][k] < front[b][k]; });
    const double extent = front[order.back()][k] - front[order.front()][k];
    distance[order.front()] = distance[order.back()] = std::numeric_limits<double>::infinity();
    if (extent <= 0) continue;
    for (std::size_t i = 1; i + 1 < order.size(); ++i)
      distance[order[i]] += (front[order[i + 1]][k] - front[order[i - 1]][k]) / extent;
  }
  return distance;
}

double hypervolume(const std::vector<Objectives>& all, const Objectives& reference) {
  XGEN_CHECK(!reference.empty(), "a hypervolume of no objective");
  std::vector<Objectives> within;
  for (const Objectives& point : all) {
    XGEN_CHECK(point.size() == reference.size(), point.size(), " objectives against ",
               reference.size());
    bool inside = true;
    for (std::size_t i = 0; i < point.size(); ++i) inside = inside && point[i] < reference[i];
    if (inside) within.push_back(point);
  }
  return volume(std::move(within), reference);
}

Objectives reference_beyond(const std::vector<Objectives>& all) {
  Objectives reference;
  for (std::size_t k = 0; k < all.front().size(); ++k) {
    const auto less = [k](const Objectives& a, const Objectives& b) { return a[k] < b[k]; };
    const auto [least, most] = std::minmax_element(all.begin(), all.end(), less);
    const double range = (*most)[k] - (*least)[k];
    reference.push_back((*most)[k] + (range > 0 ? 0.1 * range : 1));
  }
  return reference;
}

}  // namespace xgen::search
