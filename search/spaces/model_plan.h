#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/ir/graph.h"
#include "search/space.h"
#include "search/spaces/model.h"
#include "search/spaces/model_activations.h"
#include "search/spaces/model_places.h"

namespace xgen::search {

/// What a parameter of a ModelSpace decides.
struct ModelDecision {
  enum class Kind : std::uint8_t { resolution, activation, width, group_width, block, convolution };
  Kind kind;
  std::size_t index = 0;  ///< of the group, block or convolution.
  Parameter parameter;
};

/// A node of the model as kernels between candidates see it.
struct ModelLabel {
  std::string node, text;
};

/// A model, and what can be changed in it.
struct ModelPlan {
  std::string what;               ///< the file or the zoo's name, for messages.
  std::vector<ir::Graph> graphs;  ///< one for each resolution; just one where there are none.
  std::vector<ConvolutionPlace> convolutions;
  std::vector<BranchPlace> branches;
  std::map<std::string, std::size_t> group_of;  ///< of nodes with weights.
  std::size_t groups = 0;
  std::vector<ActivationPlace> activations;
  std::vector<ModelDecision> decisions;  ///< in the order of the space's parameters.
  std::vector<ModelLabel> labels;        ///< inputs and outputs have no node.
  std::vector<std::pair<int, int>> edges;
};

/// Imports, or builds with the zoo's weights for `seed`, and cleans up as for training.
/// @throws UserError naming the model.
ir::Graph load_base_model(const ModelSpace& space, const std::filesystem::path& folder,
                          std::uint64_t seed);

/// @throws UserError naming the model where something is asked for that it does not have.
ModelPlan plan_of(const ModelSpace& space, const std::filesystem::path& folder);

/// Whether a list says more than "keep".
inline bool offers(const std::vector<std::string>& choices) {
  return choices.size() > 1 || (choices.size() == 1 && choices[0] != "keep");
}

}  // namespace xgen::search
