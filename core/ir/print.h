#pragma once

#include <string>

#include "core/ir/graph.h"

namespace xgen::ir {

/// A readable text form, one line a node in topological order:
///
///   resnet20(input: f32 [N, 3, 32, 32]) -> logits
///     conv1: f32 [N, 16, 32, 32] = Conv(input, conv1.weight: f32 [16, 3, 3, 3], _) pads=1,1,1,1
///
/// Attributes that have their default are left out, absent inputs are `_`. Short constants are
/// written out, longer ones by shape, with share of zeros where a mask is attached.
std::string print(const Graph& graph);

/// One node as in print(), without indentation.
std::string print(const Graph& graph, const Node& node);

/// An operator with the attributes that differ from their defaults: "Conv pads=1,1,1,1".
std::string print(const Op& op);

/// "f32 [N, 16]", with quantization "u8 [N, 16] q(0.0235, 128)".
std::string print(const TensorType& type);

}  // namespace xgen::ir
