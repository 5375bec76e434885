#include "search/trade_off.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace xgen::search {

namespace {

// Of the logarithm of the factor: about as far as a second look at joint choices moves a harm.
constexpr double kDeviation = 0.5;

// The prices at which the best choice changes, from the least harmful one to the one that costs
// least: slopes of the lower convex hull.
void add_prices(const std::vector<double>& harm, const std::vector<double>& cost,
                std::vector<double>& prices) {
  if (harm.empty()) return;
  auto at = static_cast<std::size_t>(std::min_element(harm.begin(), harm.end()) - harm.begin());
  for (;;) {
    std::size_t next = at;
    double least = std::numeric_limits<double>::infinity();
    for (std::size_t c = 0; c < harm.size(); ++c) {
      const double price = (harm[c] - harm[at]) / (cost[at] - cost[c]);
      if (cost[c] < cost[at] && price < least) least = price, next = c;
    }
    if (next == at) return;
    if (least > 0) prices.push_back(least);
    at = next;
  }
}

}  // namespace

bool TradeOff::is_known(const Problem& problem) {
  if (problem.harm.empty()) return false;
  for (const double known : problem.known(Point(problem.space.parameters.size(), 0)))
    if (!std::isnan(known)) return true;
  return false;
}

TradeOff::TradeOff(const Problem& problem) : problem_(problem) {
  Point point(problem.space.parameters.size(), 0);
  costs_.resize(problem.known(point).size());
  for (std::size_t p = 0; p < problem.harm.size(); ++p) {
    for (Costs& c : costs_) c.of.emplace_back();
    for (std::size_t choice = 0; choice < problem.harm[p].size(); ++choice) {
      point[p] = static_cast<int>(choice);
      const Objectives known = problem.known(point);
      for (std::size_t k = 0; k < known.size(); ++k) costs_[k].of[p].push_back(known[k]);
    }
    point[p] = 0;
    for (Costs& c : costs_) add_prices(problem.harm[p], c.of[p], c.prices);
  }
  std::erase_if(costs_, [](const Costs& c) { return c.prices.empty(); });
}

Point TradeOff::draw(RandomStream& random) const {
  const Space& space = problem_.space;
  if (costs_.empty()) return space.sample(random);
  const auto one_of = [&](const auto& all) -> const auto& {
    return all[static_cast<std::size_t>(
        random.integer(0, static_cast<std::int64_t>(all.size()) - 1))];
  };
  const Costs& costs = one_of(costs_);
  const double price = one_of(costs.prices);
  Point point = space.sample(random);
  for (std::size_t p = 0; p < problem_.harm.size(); ++p) {
    const double factor = std::exp(kDeviation * random.normal());
    double least = std::numeric_limits<double>::infinity();
    for (std::size_t choice = 0; choice < problem_.harm[p].size(); ++choice) {
      const double total = factor * problem_.harm[p][choice] + price * costs.of[p][choice];
      if (total < least) least = total, point[p] = static_cast<int>(choice);
    }
  }
  return space.repaired(point, {}, random).value_or(point);
}

double TradeOff::harm(const Point& point) const {
  double sum = 0;
  for (std::size_t p = 0; p < problem_.harm.size(); ++p) {
    if (!problem_.harm[p].empty()) sum += problem_.harm[p][static_cast<std::size_t>(point[p])];
  }
  return sum;
}

}  // namespace xgen::search
