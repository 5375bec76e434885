#include "cli/run/mapping.h"

#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "cli/run/layer_latency.h"
#include "cli/run/limits.h"
#include "cli/run/sensitivity.h"
#include "codegen/compile.h"
#include "core/error.h"
#include "core/log.h"
#include "prune/masks.h"
#include "prune/plan.h"
#include "prune/schemes/schemes.h"

namespace xgen::cli {

namespace {

using nlohmann::json;

// What a layer may be divided by. Patterns of four taps start at 9/4.
const std::vector<double> kRates = {1.5, 2.25, 3, 4, 6, 9, 13, 20, 30};
// The network is compiled and timed before it is trained, and the choice is made again with what
// was learnt, so often at most.
constexpr int kRounds = 4;
// A choice stands when it keeps the limits and was predicted this well.
constexpr double kWellPredicted = 0.02;
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

bool may_prune(const prune::Layer& layer) {
  return layer.prunable && (!layer.is_output || layer.is_conv());
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

Program compiled(RunContext& run, const ir::Graph& graph) {
  CompileOptions options;
  options.target = run.target();
  return compile(graph, options).program;
}

// Of a layer's weights as they are stored: those that are left with `macs`, and a place in a list
// for each block of them.
double stored_bytes(const prune::Layer& layer, std::int64_t macs, const prune::Constraint* c,
                    bool int8) {
  const double kept = static_cast<double>(macs) / static_cast<double>(layer.macs) *
                      layer.shape.c_out * layer.shape.c_in * layer.shape.taps();
  const double bytes = kept * (int8 ? 1 : 4);
  if (c == nullptr || c->scheme == Sparsity::Scheme::unstructured) return bytes;
  const bool pattern = c->scheme == Sparsity::Scheme::pattern;
  const int taps = pattern ? c->patterns.taps() : c->punched ? 1 : layer.shape.taps();
  return bytes + 3 * kept / (c->group_out * c->lane_channels * taps);
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
    const auto cost = [&](double us, std::int64_t macs, const prune::Constraint* c) {
      return prune::Cost{us, layer.is_conv() ? static_cast<double>(macs) : 0.0,
                         stored_bytes(layer, macs, c, int8)};
    };
    prune::RateTable table{
        layer.weight, {{1, cost(run.latency().latency_us(shape, {}), layer.macs, nullptr), 0}}};
    for (const Option& option : candidate.options) {
      const double us = run.latency().latency_us(shape, latency_variant(layer, option.constraint));
      // What wins no time is never chosen, so its harm is not looked for.
      const double harm =
          us < table.options.front().cost.latency_us
              ? scan.harm(planned(candidate, option, stage, prune::reader_of(image)),
                          name_of_option(option))
              : 0;
      table.options.push_back(
          {option.rate, cost(us, prune::kept_macs(layer, option.constraint), &option.constraint),
           harm});
    }
    tables.push_back(std::move(table));
    progress.update(static_cast<std::int64_t>(tables.size()));
  }
  return tables;
}

// The layers of a choice with what their weights are projected onto.
std::vector<prune::PlannedLayer> planned_layers(const PruneStage& stage, const ir::Graph& image,
                                                const std::vector<Candidate>& candidates,
                                                const prune::RatePoint& chosen) {
  std::vector<prune::PlannedLayer> layers;
  for (const Candidate& candidate : candidates) {
    const auto option = chosen.options.find(candidate.layer.weight);
    if (option == chosen.options.end()) continue;
    layers.push_back(
        planned(candidate, candidate.options[option->second - 1], stage, prune::reader_of(image)));
  }
  return layers;
}

// Scales each pruned layer's harm by what it does among the others that were chosen.
void look_again(SensitivityScan& scan, const PruneStage& stage, const ir::Graph& image,
                const std::vector<Candidate>& candidates, const prune::RatePoint& chosen,
                std::vector<prune::RateTable>& tables) {
  const std::vector<prune::PlannedLayer> layers = planned_layers(stage, image, candidates, chosen);
  const SensitivityScan::Joint joint = scan.joint_harm(layers);
  for (std::size_t i = 0; i < layers.size(); ++i) {
    prune::RateTable& table = *std::find_if(
        tables.begin(), tables.end(), [&](const auto& t) { return t.weight == layers[i].weight; });
    const double alone = table.options[chosen.options.at(table.weight)].harm,
                 among = joint.harm - joint.without[i];
    const double factor =
        std::clamp(std::max(among, 0.0) / std::max(alone, 1e-6), kLeastDamping, kMostDamping);
    for (prune::RateOption& option : table.options) option.harm *= factor;
  }
}

// The chosen network as it will run, its weights pruned by magnitude: compiled and timed.
struct Reached {
  prune::Cost cost;
  double memory_bytes = 0;
};

Reached reached(RunContext& run, const ir::Graph& graph, bool int8, const std::string& name,
                const std::vector<prune::PlannedLayer>& layers) {
  const train::GraphModule module(graph, run.device());
  const prune::MaskSet masks = prune::magnitude_masks(params_of(module), layers);
  const Program program = compiled(run, deployed_form(run, masks.annotate(graph), int8));
  return {{run.latency().network_us(name, program), 0, static_cast<double>(program.weights.size())},
          static_cast<double>(program.memory_bytes())};
}

}  // namespace

double most_saved_us(const LatencyModel& model, const PruneStage& stage, const ir::Graph& image) {
  double saved = 0;
  for (const prune::Layer& layer : prune::layers_of(image, stage.exclude)) {
    if (!may_prune(layer)) continue;
    const LayerShape shape = latency_shape(image, layer, stage.final_type == "int8");
    const double dense = model.latency_us(shape, {});
    double least = dense;
    for (const Option& option : candidate_of(layer, stage).options)
      least = std::min(least, model.latency_us(shape, latency_variant(layer, option.constraint)));
    saved += dense - least;
  }
  return saved;
}

Mapping map_layers(RunContext& run, const PruneStage& stage, const ir::Graph& graph,
                   const ir::Graph& image, const std::vector<prune::Layer>& layers) {
  const bool int8 = stage.final_type == "int8";
  std::vector<Candidate> candidates;
  double all_conv_macs = 0, open_conv_macs = 0;
  for (const prune::Layer& layer : layers) {
    if (layer.is_conv()) all_conv_macs += static_cast<double>(layer.macs);
    if (!may_prune(layer)) continue;
    candidates.push_back(candidate_of(layer, stage));
    if (layer.is_conv()) open_conv_macs += static_cast<double>(layer.macs);
  }
  find_latencies(run, image, candidates, int8);
  SensitivityScan scan(run.samples(), graph,
                       run.folder() / "checkpoints" / (stage.name + ".scan.json"));
  std::vector<prune::RateTable> tables = scanned(run, stage, image, scan, candidates);
  const auto name = [&](const std::string& what) {
    return ::xgen::str(run.of_round(stage.name), " ", what, int8 ? " int8" : " fp32");
  };
  const Limits limits = limits_of(run, stage, all_conv_macs, open_conv_macs, [&] {
    return reached(run, run.graphs.at(run.dense_stage), false,
                   run.of_round(stage.name) + " whole fp32", {})
        .cost.latency_us;
  });

  // What lies between layers, and what has no choice: learnt from whole networks.
  prune::Cost fixed;
  const auto learn = [&](const Reached& got, const prune::Cost& predicted) {
    fixed.latency_us += got.cost.latency_us - predicted.latency_us;
    fixed.bytes += got.cost.bytes - predicted.bytes;
  };
  prune::Cost dense;
  for (const prune::RateTable& table : tables) dense += table.options.front().cost;
  learn(reached(run, graph, int8, name("dense"), {}), dense);

  prune::ChosenRates chosen;
  std::optional<prune::ChosenRates> held;  // what was seen to keep the limits, with the least harm
  for (int round = 0; round < kRounds; ++round) {
    chosen = prune::choose_rates(tables, fixed, limits.limits);
    if (round == 0 && chosen.feasible && !chosen.chosen.rates.empty()) {
      look_again(scan, stage, image, candidates, chosen.chosen, tables);
      chosen = prune::choose_rates(tables, fixed, limits.limits);
    }
    if (!chosen.feasible || stage.rates.conv_macs_divided_by) break;
    const Reached got = reached(run, graph, int8, name(::xgen::str("chosen ", round)),
                                planned_layers(stage, image, candidates, chosen.chosen));
    check_memory(run, got.memory_bytes);
    const double error = std::abs(got.cost.latency_us / chosen.chosen.cost.latency_us - 1);
    log::info(::xgen::str("chosen: predicted ", 1e-3 * chosen.chosen.cost.latency_us, " ms and ",
                          chosen.chosen.cost.bytes, " bytes, compiled ", 1e-3 * got.cost.latency_us,
                          " ms and ", got.cost.bytes, " bytes"));
    const bool holds =
        std::all_of(limits.limits.begin(), limits.limits.end(),
                    [&](const prune::Limit& limit) { return got.cost.*limit.of <= limit.most; });
    if (holds && (!held || chosen.chosen.harm < held->chosen.harm)) held = chosen;
    if (holds && error <= kWellPredicted) break;
    learn(got, chosen.chosen.cost);
  }

  if (held) chosen = *held;

  Mapping mapping;
  mapping.points = json::array();
  for (const prune::RatePoint& point : chosen.points)
    mapping.points.push_back({{"latency_ms", 1e-3 * point.cost.latency_us},
                              {"size_bytes", std::round(point.cost.bytes)},
                              {"harm", point.harm},
                              {"rates", point.rates}});
  if (!chosen.feasible) {
    run.report()["points"] = mapping.points;
    refuse(run, limits, fixed, chosen);
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
