#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "core/config.h"
#include "core/ir/graph.h"
#include "prune/config.h"
#include "prune/layers.h"
#include "prune/plan.h"
#include "search/space.h"

namespace xgen::search {

/// What may be done to a candidate's weights.
struct CompressionConfig {
  std::string per = "network";
  std::vector<std::string> schemes;
  std::vector<double> rates = {1};
  std::vector<int> bits = {32};
  std::vector<std::string> groups, exclude;
  bool sensitivity = false;

  template <class V>
  void describe(V& v) {
    v.choice("per", per, {"network", "layer"},
             "network: all layers are pruned alike and have as many bits. layer: each by itself; "
             "for spaces with one architecture.");
    v.texts("schemes", schemes, "pattern, block, punched (blocks), nm: as in a run's prune stage.");
    v.numbers("rates", rates, {1, 1000},
              "What the multiply-adds of a layer that is pruned are divided by, as far as it can; "
              "1: not pruned.");
    v.numbers("bits", bits, {8, 32}, "8: integers; 32: floats.");
    v.texts(
        "groups", groups,
        "layer: globs of node names; layers that one of them names, the first that does, decide "
        "together how they are pruned, each as far as it can.");
    v.texts("exclude", exclude, "layer: globs of node names which stay as they are.");
    v.boolean("sensitivity", sensitivity,
              "layer: before the first trial, how much each choice alone raises the loss is "
              "measured; bayesian then proposes what trades that best against what is saved.");
  }
  std::optional<ConfigProblem> problem() const;
};

/// A way to prune.
struct PruningChoice {
  std::string scheme;  ///< "block" with `punched` for punched blocks; "": not pruned.
  bool punched = false;
  double rate = 1;

  std::string name() const;  ///< "pattern 4", "dense".
};

/// The weights whose magnitudes decide on masks.
struct MaskedWeights {
  prune::WeightReader read;  ///< by name; asked only for a mask that is not known.
  /// Whether every network that has a weight of this name and shape has the same: masks are kept.
  bool alike = false;
};

/// The decisions on weights that a candidate takes besides its architecture. One thread at a time,
/// as masks are kept.
class Compression {
 public:
  /// @param base     of the prune stage in the run that tries candidates: groups, patterns.
  /// @param network  with shapes, for one image: whose layers decide by themselves. Not looked at
  ///                 where the network decides as a whole.
  /// @throws UserError with `where` where no layer can be pruned.
  Compression(const CompressionConfig& config, const prune::PruneConfig& base,
              const ir::Graph& network, const std::string& where);

  const std::vector<Parameter>& parameters() const { return parameters_; }
  /// What choices have in common, for kernels between candidates.
  std::vector<std::string> labels(const Point& point) const;
  /// The layers that a run prunes, and how; none where nothing is pruned.
  /// @param network  with shapes, for one image, and the weights that patterns are chosen by.
  std::vector<prune::PlannedLayer> planned(const ir::Graph& network, const Point& point) const;
  /// Those that one choice of one parameter prunes.
  std::vector<prune::PlannedLayer> planned_alone(const ir::Graph& network, std::size_t parameter,
                                                 int choice) const;
  /// Whether a parameter decides on masks, not on bits.
  bool prunes(std::size_t parameter) const { return !decisions_.at(parameter).choices.empty(); }
  /// What stages of a run a candidate leaves something to do for.
  struct Work {
    bool prunes = false, quantizes = false;
  };
  Work work(const Point& point) const;
  /// The network as it will run, for its size and time: masked by magnitude, BatchNorm folded,
  /// weights and scales of no meaning. @param network  with shapes, for one image.
  ir::Graph deployed(const ir::Graph& network, const Point& point,
                     const MaskedWeights& weights) const;
  /// By the weights of the network itself.
  ir::Graph deployed(const ir::Graph& network, const Point& point) const;
  /// A run's stages, changed so that they do this. Stages that have nothing to do are left out.
  /// @throws UserError where a stage that is needed is missing.
  nlohmann::json stages(nlohmann::json stages, const ir::Graph& network, const Point& point) const;

 private:
  // Of one parameter: how to prune, or, without choices, how many bits.
  struct Decision {
    std::vector<PruningChoice> choices;
    std::vector<std::string> nodes;                   // that it is about; "*": all
    std::vector<std::vector<PruningChoice>> of_node;  // what each choice is to each node
  };
  struct Decided {
    std::map<std::string, PruningChoice> pruned;  // by node; "*": all
    std::vector<std::string> floats;              // nodes that stay floats; "*": all
    bool has_integers = false;
  };
  void add(Parameter parameter, Decision decision);
  void add_layers(const ir::Graph& network, const std::string& where);
  void add_bits(const ir::Graph& network);
  void decide(std::size_t parameter, int choice, Decided& decided) const;
  Decided decided(const Point& point) const;
  std::vector<prune::PlannedLayer> planned(const ir::Graph& network, const Decided& what) const;
  prune::PruneConfig config_of(const Decided& decided, const ir::Graph& network) const;
  void mask(ir::Graph& network, const Decided& decided, const MaskedWeights& weights) const;

  CompressionConfig config_;
  prune::PruneConfig base_;
  std::vector<Parameter> parameters_;
  std::vector<Decision> decisions_;                // by parameter
  mutable std::map<std::string, Sparsity> masks_;  // by weight, shape and what is done to it
  mutable std::size_t mask_entries_ = 0;
};

}  // namespace xgen::search
