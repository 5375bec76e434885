#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/ir/graph.h"
#include "core/reference/integer.h"
#include "quantize/qdq_layers.h"

namespace xgen::quantize {

/// u8 per tensor.
struct Steps {
  float scale = 1;
  std::int32_t zero_point = 0;
  friend bool operator==(const Steps&, const Steps&) = default;
};

/// Where the result of a node goes, when that is one Q, perhaps after a fused clip.
struct Rounding {
  Steps steps;
  reference::QuantInterval interval;  ///< 0..255, narrowed by the clip.
};

/// A node that is computed in integers.
struct IntegerNode {
  std::vector<Steps> inputs;       ///< of the activations, in order.
  std::vector<bool> is_real;       ///< whether they come as real numbers, as others read them so.
  std::optional<Rounding> result;  ///< absent: a layer whose result is f32.
};

/// What the pattern of Q, DQ and operators of a graph means; nodes by name.
struct IntegerPlan {
  std::map<std::string, IntegerNode> nodes;
  std::set<std::string> pass_through;   ///< result is input 0: fused, or between stored integers.
  std::map<std::string, Steps> rounds;  ///< Q of a real value.
  std::map<std::string, Steps> scales;  ///< DQ to real values.
};

IntegerPlan make_integer_plan(const ir::Graph& graph);

}  // namespace xgen::quantize
