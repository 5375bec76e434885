#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/ir/graph.h"

namespace xgen::search {

/// An activation that costs more than ReLU and may be replaced by it.
struct ActivationPlace {
  std::string node;   ///< the node that computes it; of a GELU the last one.
  std::string input;  ///< the value that it is applied to.
};

/// SiLU, hard swish, GELU as exporters write it (x * (1 + erf(x / sqrt(2))) / 2, multiplied in any
/// order), and tanh and sigmoid which only convolutions, matrix products, poolings and BatchNorm
/// read: elsewhere they are gates or scores. In the order of the graph.
std::vector<ActivationPlace> activation_places(const ir::Graph& graph);

/// The activation that "relu", "relu6" and "hard_swish" are; nothing for another text.
std::optional<ir::Unary> activation_of(const std::string& name);

/// The network with another activation at these places.
ir::Graph with_activation(ir::Graph graph, const std::vector<ActivationPlace>& places,
                          const ir::Unary& activation);

}  // namespace xgen::search
