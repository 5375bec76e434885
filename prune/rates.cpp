#include "prune/rates.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "core/glob.h"
#include "core/suggest.h"
#include "prune/knapsack.h"
#include "prune/plan.h"

namespace xgen::prune {

namespace {

// Of all trades between latency and harm, as many are shown.
constexpr std::size_t kShownPoints = 60;

bool takes_uniform_rate(const Layer& layer) { return layer.prunable && !layer.is_output; }

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
    char text[32];
    std::snprintf(text, sizeof text, "%.2f", std::floor(most * 100) / 100);
    throw UserError(str("rates/conv_macs_divided_by: expected at most ", text, ", got ", divided_by,
                        kept_dense));
  }
  double low = 1;
  while (high - low > 1e-9 * high) {
    const double middle = (low + high) / 2;
    (reached(middle) ? high : low) = middle;
  }
  Rates rates;
  for (const Layer& layer : layers) {
    if (!takes_uniform_rate(layer)) continue;
    const std::int64_t kept = kept_macs(layer, constraint_of(layer, high, config));
    if (kept < layer.macs) {
      rates[layer.weight] = static_cast<double>(layer.macs) / static_cast<double>(kept);
    }
  }
  return rates;
}

Rates listed_rates(const std::vector<Layer>& layers, const std::map<std::string, double>& listed) {
  Rates rates;
  std::vector<std::string> names;
  for (const Layer& layer : layers) names.push_back(layer.node);
  for (const bool exact : {false, true}) {
    for (const auto& [key, rate] : listed) {
      bool known = false;
      for (const Layer& layer : layers) {
        const bool same = key == layer.node || key == layer.weight;
        if (!same && !matches_glob(key, layer.node) && !matches_glob(key, layer.weight)) continue;
        known = true;
        if (same && !layer.prunable && rate > 1) {
          throw UserError(str("rates/per_layer: \"", key, "\" cannot be pruned: ", layer.reason));
        }
        if (same == exact && layer.prunable) rates[layer.weight] = rate;
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

ChosenRates choose_rates(const std::vector<RateTable>& tables, double fixed_latency_us,
                         const Budget& budget) {
  const bool by_latency = budget.of == Budget::Of::latency_us;
  // Of each table dense, then the options that win time.
  std::vector<std::vector<std::size_t>> options;
  std::vector<std::vector<Choice>> groups;
  for (const RateTable& table : tables) {
    XGEN_CHECK(!table.options.empty(), "no option for ", table.weight);
    std::vector<std::size_t> own;
    std::vector<Choice> choices;
    for (std::size_t o = 0; o < table.options.size(); ++o) {
      const RateOption& option = table.options[o];
      if (o > 0 && option.latency_us >= table.options.front().latency_us) continue;
      own.push_back(o);
      choices.push_back({by_latency ? option.latency_us : option.conv_macs, option.harm});
    }
    options.push_back(std::move(own));
    groups.push_back(std::move(choices));
  }
  const ChoiceFront front = best_choices(groups);
  const auto point_of = [&](const ChoicePoint& choice) {
    RatePoint point{fixed_latency_us, choice.harm, {}, {}};
    for (std::size_t t = 0; t < tables.size(); ++t) {
      const std::size_t o = options[t][static_cast<std::size_t>(choice.choices[t])];
      const RateOption& option = tables[t].options[o];
      point.latency_us += option.latency_us;
      if (o == 0) continue;
      point.rates[tables[t].weight] = option.rate;
      point.options[tables[t].weight] = o;
    }
    return point;
  };
  ChosenRates result;
  const std::size_t stride = (front.points.size() + kShownPoints - 1) / kShownPoints;
  for (std::size_t i = front.points.size(); i-- > 0;) {
    if (i == 0 || i + 1 == front.points.size() || i % stride == 0)
      result.points.push_back(point_of(front.points[i]));
  }
  const ChoicePoint* best = front.within(budget.most - (by_latency ? fixed_latency_us : 0));
  result.feasible = best != nullptr;
  result.chosen = result.feasible ? point_of(*best) : result.points.back();
  return result;
}

}  // namespace xgen::prune
