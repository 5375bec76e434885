#include "cli/run/mapping.h"

#include <torch/torch.h>

#include <algorithm>
#include <cmath>

#include "cli/run/layer_latency.h"
#include "cli/run/sensitivity.h"
#include "codegen/compile.h"
#include "core/error.h"
#include "core/log.h"
#include "prune/plan.h"
#include "prune/schemes/schemes.h"

namespace xgen::cli {

namespace {

using nlohmann::json;

// What a layer may be divided by. Patterns of four taps start at 9/4.
const std::vector<double> kRates = {1.5, 2.25, 3, 4, 6, 9, 13};
// A prediction per layer leaves out what lies between layers; the wish is met with this to spare.
constexpr double kSafety = 0.97;
// How far the second look may move what the scan of single layers said.
constexpr double kLeastDamping = 0.25, kMostDamping = 4;

// One way to prune a layer.
struct Option {
  double rate;
  prune::LayerRule rule;  ///< an empty scheme: the stage's own.
  prune::Constraint constraint;
};

// A layer with what can be done to it.
struct Candidate {
  prune::Layer layer;
  std::vector<Option> options;
};

PruneStage with_rules(PruneStage stage, const std::vector<prune::LayerRule>& rules) {
  stage.layers.insert(stage.layers.end(), rules.begin(), rules.end());
  return stage;
}

// The schemes that are tried: the stage's, or with "auto" all that a kernel wins by.
std::vector<prune::LayerRule> rules_for(const prune::Layer& layer, const PruneStage& stage) {
  if (stage.scheme != "auto" || prune::rule_of(layer, stage) != nullptr) return {{}};
  std::vector<prune::LayerRule> rules = {{layer.node, "block", false}, {layer.node, "nm", false}};
  if (layer.shape.taps() > 1) rules.push_back({layer.node, "block", true});
  if (prune::rules_of(Sparsity::Scheme::pattern).refusal(layer).empty())
    rules.push_back({layer.node, "pattern", false});
  return rules;
}

Candidate candidate_of(const prune::Layer& layer, const PruneStage& stage) {
  Candidate candidate{layer, {}};
  for (const prune::LayerRule& rule : rules_for(layer, stage)) {
    const PruneStage own = rule.scheme.empty() ? stage : with_rules(stage, {rule});
    for (const double rate : kRates) {
      const prune::Constraint c = prune::constraint_of(layer, rate, own);
      const bool known = std::any_of(candidate.options.begin(), candidate.options.end(),
                                     [&](const Option& option) { return option.constraint == c; });
      if (!known && prune::kept_macs(layer, c) < layer.macs)
        candidate.options.push_back({rate, rule, c});
    }
  }
  return candidate;
}

std::string name_of_option(const Option& option) {
  return ::xgen::str(name_of(option.constraint.scheme), option.constraint.punched ? " punched" : "",
                     " ", option.rate);
}

prune::PlannedLayer planned(const Candidate& candidate, const Option& option,
                            const PruneStage& stage, const prune::WeightReader& weights) {
  const PruneStage own = option.rule.scheme.empty() ? stage : with_rules(stage, {option.rule});
  return prune::plan({candidate.layer}, {{candidate.layer.weight, option.rate}}, own, weights)
      .front();
}

// Of the compiled graph; measured once, then remembered under `name`.
double dense_latency_us(RunContext& run, const ir::Graph& graph, const std::string& name) {
  CompileOptions options;
  options.target = run.target();
  options.use_sparsity = false;
  return run.latency().network_us(name, compile(graph, options).program);
}

// The times of all that can be done to all layers, found where they are not known.
void find_latencies(RunContext& run, const ir::Graph& image,
                    const std::vector<Candidate>& candidates, bool int8) {
  std::vector<LatencyStore::Query> queries;
  for (const Candidate& candidate : candidates) {
    const LayerShape shape = latency_shape(image, candidate.layer, int8);
    queries.emplace_back(shape, LayerVariant{});
    for (const Option& option : candidate.options)
      queries.emplace_back(shape, latency_variant(candidate.layer, option.constraint));
  }
  run.find_latencies(::xgen::str(queries.size(), " variants of ", candidates.size(), " layers"),
                     queries);
}

std::vector<prune::RateTable> scanned(RunContext& run, const PruneStage& stage,
                                      const ir::Graph& image, SensitivityScan& scan,
                                      const std::vector<Candidate>& candidates) {
  const bool int8 = stage.final_type == "int8";
  std::vector<prune::RateTable> tables;
  log::Progress progress("sensitivity", static_cast<std::int64_t>(candidates.size()), "layers");
  for (const Candidate& candidate : candidates) {
    const prune::Layer& layer = candidate.layer;
    const LayerShape shape = latency_shape(image, layer, int8);
    const auto conv_macs = [&](std::int64_t macs) {
      return layer.is_conv() ? static_cast<double>(macs) : 0.0;
    };
    prune::RateTable table{layer.weight,
                           {{1, run.latency().latency_us(shape, {}), conv_macs(layer.macs), 0}}};
    for (const Option& option : candidate.options) {
      const double us = run.latency().latency_us(shape, latency_variant(layer, option.constraint));
      // What wins no time is never chosen, so its harm is not looked for.
      const double harm =
          us < table.options.front().latency_us
              ? scan.harm(planned(candidate, option, stage, prune::reader_of(image)),
                          name_of_option(option))
              : 0;
      table.options.push_back(
          {option.rate, us, conv_macs(prune::kept_macs(layer, option.constraint)), harm});
    }
    tables.push_back(std::move(table));
    progress.update(static_cast<std::int64_t>(tables.size()));
  }
  return tables;
}

// Scales each pruned layer's harm by what it does among the others that were chosen.
void look_again(SensitivityScan& scan, const PruneStage& stage, const ir::Graph& image,
                const std::vector<Candidate>& candidates, const prune::RatePoint& chosen,
                std::vector<prune::RateTable>& tables) {
  std::vector<prune::PlannedLayer> layers;
  std::vector<std::size_t> which;
  for (std::size_t t = 0; t < tables.size(); ++t) {
    const auto option = chosen.options.find(tables[t].weight);
    if (option == chosen.options.end()) continue;
    layers.push_back(planned(candidates[t], candidates[t].options[option->second - 1], stage,
                             prune::reader_of(image)));
    which.push_back(t);
  }
  const SensitivityScan::Joint joint = scan.joint_harm(layers);
  for (std::size_t i = 0; i < which.size(); ++i) {
    prune::RateTable& table = tables[which[i]];
    const double alone = table.options[chosen.options.at(table.weight)].harm,
                 among = joint.harm - joint.without[i];
    const double factor =
        std::clamp(std::max(among, 0.0) / std::max(alone, 1e-6), kLeastDamping, kMostDamping);
    for (prune::RateOption& option : table.options) option.harm *= factor;
  }
}

}  // namespace

Mapping map_layers(RunContext& run, const PruneStage& stage, const ir::Graph& graph,
                   const ir::Graph& image, const std::vector<prune::Layer>& layers) {
  const bool int8 = stage.final_type == "int8";
  std::vector<Candidate> candidates;
  double all_conv_macs = 0, open_conv_macs = 0;
  for (const prune::Layer& layer : layers) {
    if (layer.is_conv()) all_conv_macs += static_cast<double>(layer.macs);
    if (!layer.prunable || (layer.is_output && !layer.is_conv())) continue;
    candidates.push_back(candidate_of(layer, stage));
    if (layer.is_conv()) open_conv_macs += static_cast<double>(layer.macs);
  }
  find_latencies(run, image, candidates, int8);
  SensitivityScan scan(run, graph, stage.name);
  std::vector<prune::RateTable> tables = scanned(run, stage, image, scan, candidates);

  double dense_us = 0;
  for (const prune::RateTable& table : tables) dense_us += table.options.front().latency_us;
  const double whole_us = dense_latency_us(run, deployed_form(run, graph, int8),
                                           stage.name + (int8 ? " dense int8" : " dense fp32"));
  const double fixed_us = std::max(0.0, whole_us - dense_us);
  prune::Budget budget;
  if (stage.rates.conv_macs_divided_by)
    budget = {prune::Budget::Of::conv_macs,
              all_conv_macs / *stage.rates.conv_macs_divided_by - (all_conv_macs - open_conv_macs)};
  else
    budget.most = kSafety * 1e3 * *run.config().requirements.latency_ms_max;
  prune::ChosenRates chosen = prune::choose_rates(tables, fixed_us, budget);
  if (chosen.feasible && !chosen.chosen.rates.empty()) {
    look_again(scan, stage, image, candidates, chosen.chosen, tables);
    chosen = prune::choose_rates(tables, fixed_us, budget);
  }

  Mapping mapping;
  mapping.points = json::array();
  for (const prune::RatePoint& point : chosen.points)
    mapping.points.push_back(
        {{"latency_ms", 1e-3 * point.latency_us}, {"harm", point.harm}, {"rates", point.rates}});
  if (!chosen.feasible) {
    run.report()["points"] = mapping.points;
    if (stage.rates.conv_macs_divided_by)
      throw UserError(::xgen::str("rates/conv_macs_divided_by: ", *stage.rates.conv_macs_divided_by,
                                  " cannot be reached by layers whose pruned kernels win time"));
    const double wish_ms = *run.config().requirements.latency_ms_max,
                 best_us = chosen.chosen.latency_us;
    run.report()["requirements"] = {
        {{"name", "latency_ms_max"}, {"wanted", wish_ms}, {"got", 1e-3 * best_us}, {"met", false}}};
    throw RequirementsError(
        ::xgen::str("latency_ms_max: ", wish_ms, " ms cannot be met: the dense network takes ",
                    1e-3 * whole_us, " ms, the fastest pruned one is predicted to take ",
                    1e-3 * best_us, " ms, of which ", 1e-3 * fixed_us, " ms cannot be pruned"));
  }
  mapping.rates = chosen.chosen.rates;
  for (std::size_t t = 0; t < tables.size(); ++t) {
    const auto option = chosen.chosen.options.find(tables[t].weight);
    if (option == chosen.chosen.options.end()) continue;
    mapping.harm[tables[t].weight] = tables[t].options[option->second].harm;
    const prune::LayerRule& rule = candidates[t].options[option->second - 1].rule;
    if (!rule.scheme.empty()) mapping.rules.push_back(rule);
  }
  return mapping;
}

}  // namespace xgen::cli
