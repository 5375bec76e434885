#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/ir/graph.h"

namespace xgen::ir {

/// What shape inference knows of a value.
struct InferredValue {
  TensorType type;
  /// The contents of an integer tensor of rank 0 or 1, where they follow from constants and shapes:
  /// the output of Shape on [N, 3] is {N, 3}.
  std::optional<std::vector<Dim>> elements;
};

/// Infers every value of `graph`, by ValueId. Symbolic extents are carried through, and integer
/// arithmetic on shapes is evaluated, so that Shape -> Gather -> Unsqueeze -> Concat -> Reshape
/// gives [N, 64].
/// @throws UserError `node "conv1" (Conv): ...` where shapes or types are inconsistent.
std::vector<InferredValue> infer_values(const Graph& graph);

/// Fills dtype and shape of every value; quantization parameters and the dtype that they imply
/// stay. @throws UserError as infer_values.
Graph infer_shapes(Graph graph);

/// Gives numbers to symbols such as "N" in the inputs' shapes and infers everything again.
/// @throws UserError when the model has no such symbol or a size is not positive.
Graph bind_dims(Graph graph, const std::map<std::string, std::int64_t>& sizes);

/// The symbols in the shapes of the inputs, each once, in order of appearance.
std::vector<std::string> free_symbols(const Graph& graph);

}  // namespace xgen::ir
