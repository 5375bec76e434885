#include "search/compression.h"

#include <algorithm>
#include <set>

#include "core/error.h"
#include "core/glob.h"
#include "core/ir/infer_shapes.h"
#include "core/ir/rewrite/fold_batch_norm.h"
#include "core/suggest.h"
#include "prune/block_energy.h"
#include "prune/plan.h"
#include "prune/rates.h"
#include "prune/schemes/schemes.h"
#include "quantize/concat_ranges.h"
#include "quantize/qdq.h"

namespace xgen::search {

namespace {

using nlohmann::json;

constexpr const char* kAll = "*";
const std::vector<std::string> kSchemes = {"pattern", "block", "punched", "nm"};

std::string rate_text(double rate) { return json(rate).dump(); }

std::vector<PruningChoice> choices_of(const CompressionConfig& config) {
  std::vector<PruningChoice> choices;
  for (const double rate : config.rates) {
    if (rate == 1) choices.insert(choices.begin(), PruningChoice{});
  }
  for (const std::string& scheme : config.schemes) {
    for (const double rate : config.rates) {
      if (rate == 1) continue;
      const bool punched = scheme == "punched";
      choices.push_back({punched ? "block" : scheme, punched, rate});
    }
  }
  return choices;
}

prune::PruneConfig with_choice(prune::PruneConfig config, const PruningChoice& choice) {
  config.scheme = choice.scheme;
  config.punched = choice.punched;
  config.layers.clear();
  return config;
}

// Choices that do something to a layer, each another thing.
std::vector<PruningChoice> choices_for(const prune::Layer& layer,
                                       const std::vector<PruningChoice>& all,
                                       const prune::PruneConfig& base) {
  std::vector<PruningChoice> choices;
  std::vector<prune::Constraint> known;
  for (const PruningChoice& choice : all) {
    if (choice.scheme.empty()) {
      choices.push_back(choice);
      continue;
    }
    const bool pattern = choice.scheme == "pattern";
    if (pattern && !prune::rules_of(Sparsity::Scheme::pattern).refusal(layer).empty()) continue;
    if (choice.punched && layer.shape.taps() == 1) continue;
    const prune::Constraint c = prune::constraint_of(layer, choice.rate, with_choice(base, choice));
    // A little more than it asks for is as near as whole blocks come; much more is another choice.
    const bool reaches = static_cast<double>(prune::kept_macs(layer, c)) * choice.rate <=
                         static_cast<double>(layer.macs) * (1 + 1e-9);
    if (!reaches || std::find(known.begin(), known.end(), c) != known.end()) continue;
    known.push_back(c);
    choices.push_back(choice);
  }
  return choices;
}

// What a layer does where its group wants more, or another scheme, than it can have: as much as it
// can of the scheme, else of blocks.
PruningChoice nearest(const std::vector<PruningChoice>& own, const PruningChoice& wanted) {
  const auto most = [&](const std::string& scheme, bool punched) {
    PruningChoice best;
    for (const PruningChoice& c : own) {
      if (c.scheme == scheme && c.punched == punched && c.rate <= wanted.rate && c.rate > best.rate)
        best = c;
    }
    return best;
  };
  const PruningChoice same = most(wanted.scheme, wanted.punched);
  return same.scheme.empty() && !wanted.scheme.empty() ? most("block", false) : same;
}

Parameter parameter_of(const std::string& name, const std::vector<PruningChoice>& choices) {
  Parameter parameter{name, {}};
  for (const PruningChoice& c : choices) parameter.choices.push_back(c.name());
  return parameter;
}

Parameter bits_parameter(const std::string& name, const std::vector<int>& bits) {
  Parameter parameter{name, {}};
  for (const int b : bits) parameter.choices.push_back(std::to_string(b));
  return parameter;
}

// The energies that a planned layer is projected by: squares of its weights.
Sparsity magnitude_mask(const prune::WeightReader& weights, const prune::PlannedLayer& layer) {
  const std::vector<float> logical =
      prune::to_logical(weights(layer.weight), layer.shape, layer.transposed);
  return prune::project(prune::squares(logical), layer.shape, layer.constraint);
}

// Masks of spaces with many widths are forgotten from time to time: 64 MB of them.
constexpr std::size_t kMostMaskEntries = 16 << 20;

// Ranges that say nothing of values: integers take as long whatever they mean.
std::map<std::string, quantize::ActivationRange> any_ranges(
    const ir::Graph& graph, const std::vector<std::string>& exclude) {
  std::map<std::string, quantize::ActivationRange> ranges;
  for (const std::string& value : quantize::values_to_observe(graph, exclude))
    ranges[value] = {-1, 1};
  return quantize::share_concat_ranges(graph, ranges);
}

json* stage_of(json& stages, const std::string& kind) {
  for (json& stage : stages) {
    if (stage.value("kind", "") == kind) return &stage;
  }
  return nullptr;
}

void erase_stage(json& stages, const std::string& kind) {
  stages.erase(std::remove_if(stages.begin(), stages.end(),
                              [&](const json& s) { return s.value("kind", "") == kind; }),
               stages.end());
}

json& needed_stage(json& stages, const std::string& kind) {
  json* stage = stage_of(stages, kind);
  if (stage == nullptr)
    throw UserError(str("/stages: expected a stage of kind \"", kind,
                        "\", as candidates ask for it, found none"));
  return *stage;
}

}  // namespace

std::optional<ConfigProblem> CompressionConfig::problem() const {
  std::set<std::string> seen;
  for (const std::string& scheme : schemes) {
    if (std::find(kSchemes.begin(), kSchemes.end(), scheme) == kSchemes.end())
      return ConfigProblem{
          "schemes", str("expected one of ", detail::quoted_list(kSchemes), ", got \"", scheme,
                         "\"", did_you_mean(scheme, kSchemes))};
    if (!seen.insert(scheme).second)
      return ConfigProblem{"schemes", str("\"", scheme, "\" stands there twice")};
  }
  if (rates.empty()) return ConfigProblem{"rates", "expected at least one rate"};
  if (std::set<double>(rates.begin(), rates.end()).size() != rates.size())
    return ConfigProblem{"rates", "a rate stands there twice"};
  if (schemes.empty() && rates != std::vector<double>{1})
    return ConfigProblem{"schemes", "expected a scheme for rates above 1, found none"};
  if (bits.empty()) return ConfigProblem{"bits", "expected 8, 32 or both"};
  for (const int b : bits) {
    if (b != 8 && b != 32) return ConfigProblem{"bits", str("expected 8 or 32, got ", b)};
  }
  if (std::set<int>(bits.begin(), bits.end()).size() != bits.size())
    return ConfigProblem{"bits", "a number stands there twice"};
  for (const auto& [key, globs] : {std::pair{"groups", &groups}, {"exclude", &exclude}}) {
    if (per == "network" && !globs->empty())
      return ConfigProblem{key, "speaks of layers: expected \"per\": \"layer\""};
  }
  if (per == "network" && sensitivity)
    return ConfigProblem{"sensitivity", "is that of layers: expected \"per\": \"layer\""};
  return std::nullopt;
}

std::string PruningChoice::name() const {
  return scheme.empty() ? "dense" : str(punched ? "punched" : scheme, " ", rate_text(rate));
}

Compression::Compression(const CompressionConfig& config, const prune::PruneConfig& base,
                         const ir::Graph& network, const std::string& where)
    : config_(config), base_(base) {
  if (config.per == "network") {
    const std::vector<PruningChoice> all = choices_of(config);
    add(parameter_of("pruning", all), {all, {kAll}, {all}});
    if (config.bits.size() > 1) add(bits_parameter("bits", config.bits), {{}, {kAll}, {}});
    return;
  }
  base_.final_type =
      std::find(config.bits.begin(), config.bits.end(), 8) != config.bits.end() ? "int8" : "fp32";
  add_layers(network, where);
  if (config.bits.size() > 1) add_bits(network);
}

void Compression::add(Parameter parameter, Decision decision) {
  parameters_.push_back(std::move(parameter));
  decisions_.push_back(std::move(decision));
}

void Compression::add_layers(const ir::Graph& network, const std::string& where) {
  const std::vector<PruningChoice> all = choices_of(config_);
  std::map<std::string, std::size_t> at;  // of each group's parameter
  for (const prune::Layer& layer : prune::layers_of(network, config_.exclude)) {
    if (!layer.prunable || (layer.is_output && !layer.is_conv())) continue;
    const std::vector<PruningChoice> own = choices_for(layer, all, base_);
    if (own.empty()) continue;
    const auto group =
        std::find_if(config_.groups.begin(), config_.groups.end(),
                     [&](const std::string& glob) { return matches_glob(glob, layer.node); });
    if (group == config_.groups.end()) {
      add(parameter_of(layer.node, own), {own, {layer.node}, {own}});
      continue;
    }
    const auto [known, is_first] = at.emplace(*group, decisions_.size());
    if (is_first) add(parameter_of(*group, all), {all, {}, {}});
    Decision& decision = decisions_[known->second];
    decision.nodes.push_back(layer.node);
    std::vector<PruningChoice>& of_node = decision.of_node.emplace_back();
    for (const PruningChoice& wanted : all) of_node.push_back(nearest(own, wanted));
  }
  if (parameters_.empty())
    throw UserError(where + ": the network has no layer that can be pruned so");
  for (std::size_t i = 0; i < config_.groups.size(); ++i) {
    if (at.count(config_.groups[i]) == 0)
      throw UserError(str(where, "/groups/", i, ": \"", config_.groups[i],
                          "\" names no layer that can be pruned so and that no glob before it "
                          "names"));
  }
}

void Compression::add_bits(const ir::Graph& network) {
  for (const quantize::LayerType& layer : quantize::layer_types(ir::fold_batch_norm(network))) {
    // Folding a batch norm into a layer joins their names.
    const std::string name = layer.node.substr(0, layer.node.find('+'));
    const bool open =
        layer.int8 && std::none_of(config_.exclude.begin(), config_.exclude.end(),
                                   [&](const std::string& g) { return matches_glob(g, name); });
    if (open) add(bits_parameter(name + " bits", config_.bits), {{}, {name}, {}});
  }
}

std::vector<std::string> Compression::labels(const Point& point) const {
  std::vector<std::string> labels;
  for (std::size_t i = 0; i < point.size(); ++i) {
    const auto choice = static_cast<std::size_t>(point[i]);
    const std::string& name = parameters_[i].name;
    if (decisions_[i].choices.empty()) {
      labels.push_back(name + " " + parameters_[i].choices[choice]);
      continue;
    }
    const PruningChoice& pruning = decisions_[i].choices[choice];
    labels.push_back(str(name, " ", pruning.punched ? "punched" : pruning.scheme));
    // Rates that are near each other have most of these in common.
    for (const double rate : config_.rates)
      labels.push_back(str(name, pruning.rate >= rate ? " at least " : " below ", rate));
  }
  return labels;
}

void Compression::decide(std::size_t parameter, int choice, Decided& decided) const {
  const Decision& decision = decisions_.at(parameter);
  const auto chosen = static_cast<std::size_t>(choice);
  if (!decision.choices.empty()) {
    for (std::size_t n = 0; n < decision.nodes.size(); ++n) {
      const PruningChoice& pruning = decision.of_node[n].at(chosen);
      if (!pruning.scheme.empty()) decided.pruned[decision.nodes[n]] = pruning;
    }
  } else if (config_.bits.at(chosen) == 8) {
    decided.has_integers = true;
  } else {
    decided.floats.push_back(decision.nodes.front());
  }
}

Compression::Decided Compression::decided(const Point& point) const {
  XGEN_CHECK(point.size() == parameters_.size(), "a point of another space");
  Decided decided;
  decided.has_integers = config_.bits == std::vector<int>{8};
  for (std::size_t i = 0; i < point.size(); ++i) decide(i, point[i], decided);
  return decided;
}

Compression::Work Compression::work(const Point& point) const {
  const Decided what = decided(point);
  return {!what.pruned.empty(), what.has_integers};
}

prune::PruneConfig Compression::config_of(const Decided& decided, const ir::Graph& network) const {
  prune::PruneConfig config = base_;
  config.layers.clear();
  config.rates = {};
  config.exclude = config_.exclude;
  // One mask serves both types, so a layer's choices do not depend on its bits.
  if (config_.per == "network") config.final_type = decided.has_integers ? "int8" : "fp32";
  const auto all = decided.pruned.find(kAll);
  if (all != decided.pruned.end()) {
    config = with_choice(config, all->second);
    config.rates.per_layer[kAll] = all->second.rate;
    // The last layer has few multiply-adds and does much harm.
    for (const prune::Layer& layer : prune::layers_of(network)) {
      if (layer.is_output && !layer.is_conv()) config.exclude.push_back(layer.node);
    }
    return config;
  }
  for (const auto& [node, choice] : decided.pruned) {
    config.layers.push_back({node, choice.scheme, choice.punched});
    config.rates.per_layer[node] = choice.rate;
  }
  if (!decided.pruned.empty()) config.scheme = decided.pruned.begin()->second.scheme;
  return config;
}

std::vector<prune::PlannedLayer> Compression::planned(const ir::Graph& network,
                                                      const Decided& what) const {
  if (what.pruned.empty()) return {};
  const prune::PruneConfig config = config_of(what, network);
  const std::vector<prune::Layer> layers = prune::layers_of(network, config.exclude);
  const prune::Rates rates = prune::listed_rates(layers, config.rates.per_layer, config);
  return prune::plan(layers, rates, config, prune::reader_of(network));
}

std::vector<prune::PlannedLayer> Compression::planned(const ir::Graph& network,
                                                      const Point& point) const {
  return planned(network, decided(point));
}

std::vector<prune::PlannedLayer> Compression::planned_alone(const ir::Graph& network,
                                                            std::size_t parameter,
                                                            int choice) const {
  Decided what;
  decide(parameter, choice, what);
  return planned(network, what);
}

void Compression::mask(ir::Graph& network, const Decided& decided,
                       const MaskedWeights& weights) const {
  const prune::PruneConfig config = config_of(decided, network);
  const std::vector<prune::Layer> layers = prune::layers_of(network, config.exclude);
  prune::Rates rates = prune::listed_rates(layers, config.rates.per_layer, config);
  const auto all = decided.pruned.find(kAll);
  std::map<std::string, std::string> keys;  // by weight, of masks to be kept
  for (const prune::Layer& layer : layers) {
    if (!weights.alike || rates.count(layer.weight) == 0) continue;
    const PruningChoice& choice =
        all != decided.pruned.end() ? all->second : decided.pruned.at(layer.node);
    const WeightShape& s = layer.shape;
    const std::string key = str(layer.weight, " ", s.c_out, "x", s.c_in, "x", s.kh, "x", s.kw, " ",
                                choice.name(), " ", config.final_type);
    if (const auto known = masks_.find(key); known != masks_.end()) {
      network.value(network.find(layer.weight)).sparsity = known->second;
      rates.erase(layer.weight);
    } else {
      keys[layer.weight] = key;
    }
  }
  for (const prune::PlannedLayer& layer : prune::plan(layers, rates, config, weights.read)) {
    const Sparsity mask = magnitude_mask(weights.read, layer);
    network.value(network.find(layer.weight)).sparsity = mask;
    if (!weights.alike) continue;
    mask_entries_ += mask.kept.size();
    if (mask_entries_ > kMostMaskEntries) {
      masks_.clear();
      mask_entries_ = mask.kept.size();
    }
    masks_[keys.at(layer.weight)] = mask;
  }
}

ir::Graph Compression::deployed(const ir::Graph& network, const Point& point,
                                const MaskedWeights& weights) const {
  const Decided what = decided(point);
  ir::Graph graph = network;
  if (!what.pruned.empty()) mask(graph, what, weights);
  graph = ir::infer_shapes(ir::fold_batch_norm(std::move(graph), -1, false));
  if (!what.has_integers) return graph;
  ir::Graph qdq = quantize::insert_qdq(graph, any_ranges(graph, what.floats), what.floats, false);
  return ir::infer_shapes(quantize::bake_weights(ir::infer_shapes(std::move(qdq)), false));
}

ir::Graph Compression::deployed(const ir::Graph& network, const Point& point) const {
  return deployed(network, point, {prune::reader_of(network), false});
}

json Compression::stages(json stages, const ir::Graph& network, const Point& point) const {
  const Decided what = decided(point);
  if (what.pruned.empty()) {
    erase_stage(stages, "prune");
  } else {
    prune::PruneConfig config = config_of(what, network);
    json& stage = needed_stage(stages, "prune");
    const json written = write_config(config);
    for (const char* key : {"scheme", "punched", "final_type", "layers", "rates", "exclude"})
      stage[key] = written.at(key);
  }
  if (!what.has_integers) {
    erase_stage(stages, "quantize");
  } else {
    json& exclude = needed_stage(stages, "quantize")["exclude"];
    if (exclude.is_null()) exclude = json::array();
    for (const std::string& node : what.floats) exclude.push_back(node);
  }
  return stages;
}

}  // namespace xgen::search
