#include "prune/rates.h"

#include <algorithm>
#include <cmath>

#include "core/glob.h"
#include "core/suggest.h"
#include "prune/knapsack.h"
#include "prune/plan.h"
#include "prune/rate_text.h"
#include "prune/schemes/schemes.h"

namespace xgen::prune {

namespace {

// Of all trades between cost and harm, as many are shown.
constexpr std::size_t kShownPoints = 60;

// A rate above that of any layer with a weight left: a constraint then keeps the least it can.
constexpr double kEmptying = 1e15;

// How finely several limits are weighed against each other.
constexpr int kWeighings = 8;

// Weights of the limits, summing up to 1; the first has the first limit alone.
std::vector<std::vector<double>> weightings(std::size_t limits) {
  std::vector<std::vector<double>> all = {{}};
  std::vector<int> left = {kWeighings};
  for (std::size_t i = 0; i < limits; ++i) {
    std::vector<std::vector<double>> longer;
    std::vector<int> rest;
    for (std::size_t w = 0; w < all.size(); ++w) {
      for (int share = left[w]; share >= (i + 1 == limits ? left[w] : 0); --share) {
        longer.push_back(all[w]);
        longer.back().push_back(static_cast<double>(share) / kWeighings);
        rest.push_back(left[w] - share);
      }
    }
    all = std::move(longer);
    left = std::move(rest);
  }
  return all;
}

// The knapsack problem of a choice of rates.
class RateChooser {
 public:
  RateChooser(const std::vector<RateTable>& tables, const Cost& fixed,
              const std::vector<Limit>& limits)
      : tables_(tables), fixed_(fixed), limits_(limits) {
    for (const RateTable& table : tables) {
      XGEN_CHECK(!table.options.empty(), "no option for ", table.weight);
      // Dense, then the options that win time.
      std::vector<std::size_t> own;
      for (std::size_t o = 0; o < table.options.size(); ++o) {
        if (o == 0 || table.options[o].cost.latency_us < table.options.front().cost.latency_us)
          own.push_back(o);
      }
      options_.push_back(std::move(own));
    }
  }

  // By a cost that is 1 where the limits, weighed, are just met.
  ChoiceFront front(const std::vector<double>& weights) const {
    std::vector<std::vector<Choice>> groups;
    for (std::size_t t = 0; t < tables_.size(); ++t) {
      std::vector<Choice> choices;
      for (const std::size_t o : options_[t]) {
        const RateOption& option = tables_[t].options[o];
        Choice choice{0, option.harm};
        for (std::size_t i = 0; i < limits_.size(); ++i)
          choice.cost += weights[i] * option.cost.*limits_[i].of / room(limits_[i]);
        choices.push_back(choice);
      }
      groups.push_back(std::move(choices));
    }
    return best_choices(groups);
  }

  RatePoint point(const ChoicePoint& choice) const {
    RatePoint point{fixed_, choice.harm, {}, {}};
    for (std::size_t t = 0; t < tables_.size(); ++t) {
      const std::size_t o = options_[t][static_cast<std::size_t>(choice.choices[t])];
      point.cost += tables_[t].options[o].cost;
      if (o == 0) continue;
      point.rates[tables_[t].weight] = tables_[t].options[o].rate;
      point.options[tables_[t].weight] = o;
    }
    return point;
  }

  bool holds(const RatePoint& point) const {
    return std::all_of(limits_.begin(), limits_.end(),
                       [&](const Limit& limit) { return point.cost.*limit.of <= limit.most; });
  }

 private:
  // What a limit leaves to the choices; a limit that leaves nothing is never met.
  double room(const Limit& limit) const { return std::max(1e-9, limit.most - fixed_.*limit.of); }

  const std::vector<RateTable>& tables_;
  Cost fixed_;
  const std::vector<Limit>& limits_;
  std::vector<std::vector<std::size_t>> options_;  // of each table, those worth having
};

bool takes_uniform_rate(const Layer& layer) { return layer.prunable && !layer.is_output; }

// A layer that is named itself gets its rate or is refused; globs ask for as much as there is.
void check_leaves_something(const std::string& key, const Layer& layer, double rate,
                            const PruneConfig& config) {
  const Constraint least = constraint_of(layer, kEmptying, config);
  const double most = 1 / rules_of(least.scheme).kept_share(layer.shape, least);
  if (rate <= most * (1 + 1e-9)) return;
  throw UserError(str("rates/per_layer: \"", key, "\": expected at most ", rate_text(most),
                      " with scheme \"", name_of(least.scheme), "\", got ", rate,
                      "; more would leave it empty"));
}

/// MACs of all convolutions when every layer that can takes `rate`.
std::int64_t conv_macs(const std::vector<Layer>& layers, double rate, const PruneConfig& config) {
  std::int64_t sum = 0;
  for (const Layer& layer : layers) {
    if (!layer.is_conv()) continue;
    sum += takes_uniform_rate(layer) && rate > 1
               ? kept_macs(layer, constraint_of(layer, rate, config))
               : layer.macs;
  }
  return sum;
}

}  // namespace

Rates uniform_rates(const std::vector<Layer>& layers, double divided_by,
                    const PruneConfig& config) {
  if (divided_by <= 1) return {};
  const std::int64_t dense = conv_macs(layers, 1, config);
  const double wanted = static_cast<double>(dense) / divided_by;
  const auto reached = [&](double rate) {
    return static_cast<double>(conv_macs(layers, rate, config)) <= wanted;
  };
  // Above every layer's number of lanes each group keeps one block, and nothing changes any more.
  double high = 1e5;
  if (!reached(high)) {
    std::string kept_dense;
    for (const Layer& layer : layers) {
      if (!layer.is_conv() || takes_uniform_rate(layer)) continue;
      kept_dense += str(kept_dense.empty() ? "; dense stay: " : ", ", layer.node);
    }
    const double most = static_cast<double>(dense) / static_cast<double>(std::max<std::int64_t>(
                                                         1, conv_macs(layers, high, config)));
    throw UserError(str("rates/conv_macs_divided_by: expected at most ", rate_text(most), ", got ",
                        divided_by, kept_dense));
  }
  double low = 1;
  while (high - low > 1e-9 * high) {
    const double middle = (low + high) / 2;
    (reached(middle) ? high : low) = middle;
  }
  // Where one step of the rate takes much from every layer, the first ones keep the step before.
  double spare = wanted - static_cast<double>(conv_macs(layers, high, config));
  Rates rates;
  for (const Layer& layer : layers) {
    if (!takes_uniform_rate(layer)) continue;
    std::int64_t kept = kept_macs(layer, constraint_of(layer, high, config));
    const std::int64_t before =
        low > 1 ? kept_macs(layer, constraint_of(layer, low, config)) : kept;
    const auto more = static_cast<double>(before - kept);
    if (before < layer.macs && (!layer.is_conv() || more <= spare)) {
      if (layer.is_conv()) spare -= more;
      kept = before;
    }
    if (kept < layer.macs) {
      rates[layer.weight] = static_cast<double>(layer.macs) / static_cast<double>(kept);
    }
  }
  return rates;
}

Rates listed_rates(const std::vector<Layer>& layers, const std::map<std::string, double>& listed,
                   const PruneConfig& config) {
  Rates rates;
  std::vector<std::string> names;
  for (const Layer& layer : layers) names.push_back(layer.node);
  for (const bool exact : {false, true}) {
    std::map<std::string, std::string> said_by;  // by weight: the key that its rate comes from
    for (const auto& [key, rate] : listed) {
      bool known = false;
      for (const Layer& layer : layers) {
        const bool same = key == layer.node || key == layer.weight;
        if (!same && !matches_glob(key, layer.node) && !matches_glob(key, layer.weight)) continue;
        known = true;
        if (same && !layer.prunable && rate > 1) {
          throw UserError(str("rates/per_layer: \"", key, "\" cannot be pruned: ", layer.reason));
        }
        if (same != exact || !layer.prunable) continue;
        const bool has_own = listed.count(layer.node) != 0 || listed.count(layer.weight) != 0;
        if (!same && has_own) continue;
        if (same) check_leaves_something(key, layer, rate, config);
        const auto [other, is_first] = said_by.emplace(layer.weight, key);
        if (!is_first && rates[layer.weight] != rate)
          throw UserError(str("rates/per_layer: \"", other->second, "\" and \"", key,
                              "\" contradict each other: ", rates[layer.weight], " and ", rate,
                              " for \"", layer.node, "\"",
                              exact ? "" : "; a key of its own goes before both"));
        rates[layer.weight] = rate;
      }
      if (!known) {
        throw UserError(str("rates/per_layer: \"", key, "\" matches no layer with weights",
                            did_you_mean(key, names)));
      }
    }
  }
  std::erase_if(rates, [](const auto& entry) { return entry.second <= 1; });
  return rates;
}

Cost& Cost::operator+=(const Cost& other) {
  latency_us += other.latency_us;
  conv_macs += other.conv_macs;
  bytes += other.bytes;
  return *this;
}

ChosenRates choose_rates(const std::vector<RateTable>& tables, const Cost& fixed,
                         const std::vector<Limit>& limits) {
  const RateChooser chooser(tables, fixed, limits);
  ChosenRates result;
  const std::vector<double> first_alone = weightings(limits.size()).front();
  const ChoiceFront shown = chooser.front(first_alone);
  const std::size_t stride = (shown.points.size() + kShownPoints - 1) / kShownPoints;
  for (std::size_t i = shown.points.size(); i-- > 0;) {
    if (i == 0 || i + 1 == shown.points.size() || i % stride == 0)
      result.points.push_back(chooser.point(shown.points[i]));
  }
  double least_harm = 0;
  for (const std::vector<double>& weights : weightings(limits.size())) {
    const ChoiceFront front = chooser.front(weights);
    for (const ChoicePoint& choice : front.points) {
      if (result.feasible && choice.harm >= result.chosen.harm) continue;
      RatePoint point = chooser.point(choice);
      if (!chooser.holds(point)) continue;
      result.feasible = true;
      result.chosen = std::move(point);
    }
    const ChoicePoint* relaxed = front.within(1);
    if (relaxed != nullptr) least_harm = std::max(least_harm, relaxed->harm - front.excess_harm);
  }
  if (result.feasible) {
    result.excess_harm = std::max(0.0, result.chosen.harm - least_harm);
    return result;
  }
  result.chosen = result.points.back();
  for (std::size_t i = 0; i < limits.size() && !result.binding; ++i) {
    std::vector<double> alone(limits.size(), 0.0);
    alone[i] = 1;
    const RatePoint least = chooser.point(chooser.front(alone).points.front());
    if (least.cost.*limits[i].of <= limits[i].most) continue;
    result.binding = i;
    result.chosen = least;
  }
  return result;
}

}  // namespace xgen::prune
