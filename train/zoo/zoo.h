#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/ir/graph.h"

namespace xgen::train {

struct ZooEntry {
  std::string name;
  std::int64_t channels, height, width;  ///< of the input image.
  std::int64_t classes;                  ///< usual number.
  std::string description;
};

/// The models of zoo.inc.
const std::vector<ZooEntry>& zoo();

/// An untrained model: input "input" [N, channels, height, width], output "logits" [N, classes].
///
/// Convolutions are initialised normally with variance 2 / fan_out, fully connected layers
/// uniformly in +-1/sqrt(fan_in), from `seed` and the layer's name alone.
///
/// @throws UserError for a name that the zoo does not have.
///
/// Source: He et al., ICCV 2015 (arXiv:1502.01852).
ir::Graph make_zoo_model(const std::string& name, std::int64_t classes, std::uint64_t seed);

}  // namespace xgen::train
