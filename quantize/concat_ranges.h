#pragma once

#include <map>
#include <string>

#include "core/ir/graph.h"
#include "quantize/observer.h"

namespace xgen::quantize {

/// Gives the operands and the result of each integer Concat one range, which covers all of theirs,
/// also through nodes that keep the scale: then the producers write their slices in place, and
/// nothing is copied. The operands lose nothing there, as the result has one scale anyway.
std::map<std::string, ActivationRange> share_concat_ranges(
    const ir::Graph& graph, std::map<std::string, ActivationRange> ranges);

}  // namespace xgen::quantize
