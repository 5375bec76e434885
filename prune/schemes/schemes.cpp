#include "prune/schemes/schemes.h"

#include <array>

#include "core/error.h"
#include "core/glob.h"
#include "core/suggest.h"

namespace xgen::prune {

namespace {

constexpr std::array kRules = {&kPatternRules, &kBlockRules, &kNmRules, &kUnstructuredRules};

const SchemeRules& rules_named(const std::string& name) {
  for (const SchemeRules* rules : kRules) {
    if (name == name_of(rules->scheme)) return *rules;
  }
  XGEN_CHECK(false, "scheme ", name);
  return *kRules[0];
}

// What a layer can have, for messages.
std::string possible_schemes(const Layer& layer) {
  std::string names;
  for (const SchemeRules* rules : kRules) {
    if (!rules->refusal(layer).empty()) continue;
    names += str(names.empty() ? "" : ", ", name_of(rules->scheme));
  }
  return names;
}

bool names(const LayerRule& rule, const Layer& layer) {
  return matches_glob(rule.match, layer.node) || matches_glob(rule.match, layer.weight);
}

}  // namespace

const SchemeRules& rules_of(Sparsity::Scheme scheme) { return rules_named(name_of(scheme)); }

const LayerRule* rule_of(const Layer& layer, const PruneConfig& config) {
  for (std::size_t i = config.layers.size(); i-- > 0;) {
    if (names(config.layers[i], layer)) return &config.layers[i];
  }
  return nullptr;
}

Sparsity::Scheme scheme_of(const Layer& layer, const PruneConfig& config) {
  if (const LayerRule* rule = rule_of(layer, config)) {
    const SchemeRules& rules = rules_named(rule->scheme);
    const std::string refusal = rules.refusal(layer);
    if (!refusal.empty())
      throw UserError(str("layers/", rule - config.layers.data(), ": \"", layer.node,
                          "\" cannot have scheme \"", rule->scheme, "\": ", refusal,
                          "; it can have ", possible_schemes(layer)));
    return rules.scheme;
  }
  const SchemeRules& rules = rules_named(config.scheme == "auto" ? "pattern" : config.scheme);
  return rules.refusal(layer).empty() ? rules.scheme : Sparsity::Scheme::block;
}

void check_rules(const std::vector<Layer>& layers, const PruneConfig& config) {
  for (std::size_t i = 0; i < config.layers.size(); ++i) {
    const LayerRule& rule = config.layers[i];
    std::vector<std::string> nodes;
    const Layer* dense = nullptr;  // one that the rule names in vain
    bool used = false, serves = false;
    for (const Layer& layer : layers) {
      nodes.push_back(layer.node);
      if (layer.prunable) scheme_of(layer, config);
      if (!names(rule, layer)) continue;
      used = true;
      serves = serves || layer.prunable;
      if (!layer.prunable && dense == nullptr) dense = &layer;
    }
    if (used && !serves)
      throw UserError(str("layers/", i, ": \"", dense->node, "\" cannot have scheme \"",
                          rule.scheme, "\": it stays dense: ", dense->reason));
    if (!used)
      throw UserError(str("layers/", i, ": \"", rule.match, "\" matches no layer with weights",
                          did_you_mean(rule.match, nodes)));
  }
}

}  // namespace xgen::prune
