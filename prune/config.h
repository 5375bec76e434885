#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/config.h"

/// What a config says about pruning. Needs no Torch, so that configs can be checked without it.
namespace xgen::prune {

/// How much to prune: exactly one of the three.
struct RatesConfig {
  std::optional<double> conv_macs_divided_by;
  std::map<std::string, double> per_layer;
  bool from_requirements = false;

  template <class Visitor>
  void describe(Visitor& v) {
    v.number("conv_macs_divided_by", conv_macs_divided_by, {1, 1000},
             "One rate for all layers, such that the MACs of all convolutions, those that stay "
             "dense included, are divided by at least this.");
    v.number_map("per_layer", per_layer, {1, 1000},
                 "Node name, or a glob of names, to the number that the layer's MACs are divided "
                 "by; layers that are not named stay dense.");
    v.boolean("from_requirements", from_requirements,
              "Rates are chosen from measured latency and sensitivity to meet "
              "requirements.latency_ms_max.");
  }
  std::optional<ConfigProblem> problem() const {
    if (conv_macs_divided_by.has_value() + !per_layer.empty() + from_requirements == 1) return {};
    return ConfigProblem{
        "",
        "expected exactly one of \"conv_macs_divided_by\", \"per_layer\", \"from_requirements\""};
  }
};

struct AlgorithmConfig {
  std::string name = "admm";
  int epochs = 10;
  std::vector<double> rho{1e-4, 1e-3, 1e-2};

  template <class Visitor>
  void describe(Visitor& v) {
    v.choice("name", name, {"magnitude", "admm"},
             "magnitude: the largest weights are kept, at once. admm: training pulls the weights "
             "towards the scheme first (PatDNN, arXiv:2001.00138).");
    v.number("epochs", epochs, {1, 100000}, "admm: passes over the training data.");
    v.numbers("rho", rho, {1e-12, 1e6},
              "admm: how strongly weights are pulled, one value after the other over the epochs.");
  }
  std::optional<ConfigProblem> problem() const {
    if (!rho.empty()) return {};
    return ConfigProblem{"rho", "expected at least one number, got an empty list"};
  }
};

struct PruneConfig {
  std::string scheme = "pattern";
  std::string final_type = "fp32";
  std::optional<int> group_out;
  int patterns = 8;
  int taps = 4;
  RatesConfig rates;
  std::vector<std::string> exclude;
  AlgorithmConfig algorithm;

  template <class Visitor>
  void describe(Visitor& v) {
    v.choice("scheme", scheme, {"pattern", "block"},
             "pattern: 3x3 kernels keep some taps and input lanes as a whole are dropped, other "
             "layers drop lanes only. block: every layer drops lanes only.");
    v.choice("final_type", final_type, {"fp32", "int8"},
             "What the compiled network computes in: int8 drops four input channels together, "
             "also while it trains in fp32.");
    v.number("group_out", group_out, {1, 64},
             "Filters which share what they keep; default: 4 for int8, 8 for fp32.");
    v.number("patterns", patterns, {1, 56}, "Patterns that a layer may use.");
    v.number("taps", taps, {1, 9},
             "Taps that a pattern of a 3x3 kernel keeps, the centre included.");
    v.object("rates", rates, "How much to prune.", Need::required);
    v.texts("exclude", exclude, "Globs of node names which stay dense.");
    v.object("algorithm", algorithm, "How the weights to keep are found.");
  }

  /// Channels of one input lane: what the compiled kernel skips together.
  int lane_channels() const { return final_type == "int8" ? 4 : 1; }
  /// Consecutive filters which live and die together. Four int8 filters are one output lane; eight
  /// fp32 filters are what the dense fp32 kernels hold in registers.
  int filters_per_group() const { return group_out.value_or(final_type == "int8" ? 4 : 8); }
};

}  // namespace xgen::prune
