#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/config.h"
#include "prune/algorithms/list.h"
#include "prune/importance/list.h"

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
    v.boolean(
        "from_requirements", from_requirements,
        "Rates are chosen from latency and sensitivity to meet requirements.latency_ms_max and "
        "size_bytes_max, together.");
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
  std::string importance = "l2";
  std::int64_t importance_samples = 512;
  int epochs = 10;
  std::vector<double> rho{1e-4, 1e-3, 1e-2};
  std::int64_t update_steps = 100;
  double strength = 1e-4;
  std::int64_t repair_samples = 0;

  template <class Visitor>
  void describe(Visitor& v) {
#define NAME(name, ...) #name,
    v.choice("name", name, {XGEN_ALGORITHMS(NAME)},
#undef NAME
#define HELP(name, trains, help) #name ": " help ". "
             XGEN_ALGORITHMS(HELP));
#undef HELP
#define NAME(name, help) #name,
    v.choice("importance", importance, {XGEN_IMPORTANCES(NAME)},
#undef NAME
#define HELP(name, help) #name ": " help ". "
             "one_shot, gradual: what a weight scores. " XGEN_IMPORTANCES(HELP));
#undef HELP
    v.number("importance_samples", importance_samples, {1, 1'000'000},
             "Training images that gradients and activations are measured on.");
    v.number("epochs", epochs, {1, 100000}, "Passes over the training data; one_shot takes none.");
    v.numbers("rho", rho, {1e-12, 1e6},
              "admm: how strongly weights are pulled, one value after the other over the epochs.");
    v.number("update_steps", update_steps, {1, 1'000'000},
             "gradual, movement: steps from one choice of masks to the next.");
    v.number("strength", strength, {0, 1e6}, "group_lasso: the penalty's share of the loss.");
    v.number("repair_samples", repair_samples, {0, 1'000'000},
             "Training images, without their labels, on which the weights that are kept are fitted "
             "to what the dense network computes, layer by layer; 0: they stay as they are.");
  }
  std::optional<ConfigProblem> problem() const {
    if (!rho.empty()) return {};
    return ConfigProblem{"rho", "expected at least one number, got an empty list"};
  }
};

/// What the layers that it names have instead of the stage's scheme.
struct LayerRule {
  std::string match;
  std::string scheme;
  bool punched = false;

  template <class Visitor>
  void describe(Visitor& v) {
    v.text("match", match, "Glob of node names.", Need::required);
    v.choice("scheme", scheme, {"pattern", "block", "nm", "unstructured"}, "Of these layers.",
             Need::required);
    v.boolean("punched", punched, "block: as of the stage.");
  }
};

struct PruneConfig {
  std::string scheme = "pattern";
  std::string final_type = "fp32";
  /// A smaller group loses less accuracy at equal multiply-adds; one of four takes at most 5 % more
  /// time than a larger one (docs/results/group_cost.md).
  int group_out = 4;
  int patterns = 8;
  int taps = 4;
  int block_lanes = 1;
  bool punched = false;
  int nm_lanes = 4;
  RatesConfig rates;
  std::string ranking = "layer";
  double share_min = 0.25;
  std::vector<std::string> exclude;
  std::vector<LayerRule> layers;
  AlgorithmConfig algorithm;

  template <class Visitor>
  void describe(Visitor& v) {
    v.choice("scheme", scheme, {"pattern", "block", "nm", "channel", "unstructured", "auto"},
             "pattern: 3x3 kernels keep some taps and input lanes as a whole are dropped, other "
             "layers have blocks. block: blocks of filters x input lanes are dropped, or punched. "
             "nm: of every few input lanes in a row, as many live everywhere. channel: whole "
             "channels are removed, with all that depends on them; other schemes may follow in "
             "another stage. unstructured: single weights are dropped; such layers are compiled "
             "dense. auto: of pattern, block, punched blocks and nm for each layer what does the "
             "least harm, by a scan, for the time that its kernel takes.");
    v.choice("final_type", final_type, {"fp32", "int8"},
             "What the compiled network computes in: int8 drops four input channels together, "
             "also while it trains in fp32.");
    v.number("group_out", group_out, {1, 64}, "Filters which share what they keep.");
    v.number("patterns", patterns, {1, 56}, "Patterns that a layer may use.");
    v.number("taps", taps, {1, 9},
             "Taps that a pattern of a 3x3 kernel keeps, the centre included.");
    v.number("block_lanes", block_lanes, {1, 64}, "block: input lanes of a block.");
    v.boolean("punched", punched,
              "block: blocks of kernels with several taps keep some taps each, the same for all "
              "their kernels, instead of being dropped as a whole.");
    v.number("nm_lanes", nm_lanes, {2, 64},
             "nm: M, input lanes in a row, of which the layer's rate says how many live.");
    v.object("rates", rates, "How much to prune.", Need::required);
    v.choice(
        "ranking", ranking, {"layer", "network"},
        "channel, with rates.conv_macs_divided_by: layer: the channels of a layer are ranked, "
        "and every layer keeps the same share. network: those of all layers together, by score per "
        "multiply-add that goes with them; for importances that estimate the loss (taylor, "
        "hessian).");
    v.number("share_min", share_min, {0, 1},
             "ranking network: share of its channels that every layer keeps. Scores of single "
             "channels do not know what a layer is worth of which nearly nothing is left.");
    v.texts("exclude", exclude, "Globs of node names which stay dense.");
    v.objects("layers", layers,
              "Schemes of single layers; where several match a layer, the last one counts.");
    v.object("algorithm", algorithm, "How the weights to keep are found.");
  }

  /// Channels of one input lane: what the compiled kernel skips together.
  int lane_channels() const { return final_type == "int8" ? 4 : 1; }
};

}  // namespace xgen::prune
