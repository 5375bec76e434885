#include "prune/rates.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>

#include "core/glob.h"
#include "core/suggest.h"
#include "prune/plan.h"

namespace xgen::prune {

namespace {

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
                         double latency_us_max) {
  std::vector<std::size_t> chosen(tables.size(), 0);
  ChosenRates result;
  const auto record = [&] {
    RatePoint point{fixed_latency_us, 0, {}};
    for (std::size_t t = 0; t < tables.size(); ++t) {
      XGEN_CHECK(!tables[t].options.empty(), "no option for ", tables[t].weight);
      const RateOption& option = tables[t].options[chosen[t]];
      point.latency_us += option.latency_us;
      point.harm += option.harm;
      if (option.rate > 1) point.rates[tables[t].weight] = option.rate;
    }
    result.points.push_back(point);
  };
  record();
  while (result.points.back().latency_us > latency_us_max) {
    double best = 0;
    std::size_t best_table = tables.size();
    std::size_t best_option = 0;
    for (std::size_t t = 0; t < tables.size(); ++t) {
      const RateOption& now = tables[t].options[chosen[t]];
      for (std::size_t o = 0; o < tables[t].options.size(); ++o) {
        const RateOption& option = tables[t].options[o];
        const double won = now.latency_us - option.latency_us;
        if (!(won > 0)) continue;
        // Time that costs nothing is taken first, the most of it.
        const double harm = option.harm - now.harm;
        const double benefit =
            harm > 1e-12 ? won / harm : std::numeric_limits<double>::max() / 2 * (won / (1 + won));
        if (benefit > best) {
          best = benefit;
          best_table = t;
          best_option = o;
        }
      }
    }
    if (best_table == tables.size()) break;
    chosen[best_table] = best_option;
    record();
  }
  result.rates = result.points.back().rates;
  result.feasible = result.points.back().latency_us <= latency_us_max;
  return result;
}

}  // namespace xgen::prune
