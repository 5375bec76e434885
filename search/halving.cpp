#include "search/halving.h"

#include <algorithm>
#include <iterator>

namespace xgen::search {

namespace {

// Every objective as the share of all values that are less. A step says who is better, hardly by
// how much: what half of a training has left of one network's error may be twice another one's.
std::vector<Objectives> as_ranks(const std::vector<Objectives>& all) {
  std::vector<Objectives> ranks = all;
  for (std::size_t k = 0; !all.empty() && k < all.front().size(); ++k) {
    std::vector<double> values;
    for (const Objectives& o : all) values.push_back(o[k]);
    std::sort(values.begin(), values.end());
    for (Objectives& o : ranks) {
      const auto at = std::lower_bound(values.begin(), values.end(), o[k]) - values.begin();
      o[k] = static_cast<double>(at) / static_cast<double>(values.size());
    }
  }
  return ranks;
}

// Moves the `count` of one front that add the most hypervolume to those before them to its begin:
// what is good at everything goes before what is the best at one thing and bad at another.
void most_volume_first(std::vector<std::size_t>& front, const std::vector<Objectives>& ranks,
                       std::size_t count) {
  constexpr double kReference = 1.1;  // beyond the worst, so that ends of a front count, too
  std::vector<Objectives> chosen;
  const auto volume_with = [&](std::size_t i) {
    chosen.push_back(ranks[i]);
    const double volume = hypervolume(chosen, Objectives(ranks[i].size(), kReference));
    chosen.pop_back();
    return volume;
  };
  for (auto next = front.begin(); next != front.begin() + count; ++next) {
    std::vector<double> volumes;
    std::transform(next, front.end(), std::back_inserter(volumes), volume_with);
    const auto most = next + (std::max_element(volumes.begin(), volumes.end()) - volumes.begin());
    std::rotate(next, most, most + 1);
    chosen.push_back(ranks[*next]);
  }
}

// Positions of the `count` best, the best one first, by fronts.
std::vector<std::size_t> best_first(const std::vector<Objectives>& objectives, std::size_t count) {
  const std::vector<std::size_t> fronts = fronts_of(objectives);
  const std::vector<Objectives> ranks = as_ranks(objectives);
  std::vector<std::size_t> order;
  for (std::size_t number = 0; order.size() < count; ++number) {
    std::vector<std::size_t> front;
    for (std::size_t i = 0; i < fronts.size(); ++i)
      if (fronts[i] == number) front.push_back(i);
    const std::size_t wanted = std::min(front.size(), count - order.size());
    most_volume_first(front, ranks, wanted);
    order.insert(order.end(), front.begin(), front.begin() + wanted);
  }
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
    const std::vector<std::size_t> order = best_first(objectives, may_go_on);
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
