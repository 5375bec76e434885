#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "core/ir/graph.h"

namespace xgen {

inline constexpr int kLowestOpset = 7;
inline constexpr int kHighestOpset = 22;

/// A model file: the graph, and what else the file says of it.
struct OnnxModel {
  ir::Graph graph;
  int opset = 0;
  std::map<std::string, std::string> metadata;  ///< without the entries that are xgen's own.
};

/// Reads an ONNX file into the form of core/ir/ops.h, whatever the opset of the file (7 to 22):
/// attributes which became inputs are constants, padding is explicit, Identity and Constant nodes
/// are gone, every value has its type and shape, and every constant its role.
///
/// Extents without a number become symbols: that of the first axis "N" unless the file names it.
///
/// @throws UserError, beginning with the path, for a file that is missing, empty, truncated or no
///         ONNX model; for an opset outside 7 to 22; for operators that are not supported (all of
///         them at once, with node names); for undefined or doubly defined values; for external
///         data outside of the model's folder; for nodes whose shapes do not fit.
OnnxModel import_onnx_model(const std::filesystem::path& path);

/// The graph alone.
ir::Graph import_onnx(const std::filesystem::path& path);

/// An operator of a file that import_onnx does not read, and the nodes which have it.
struct UnsupportedOperator {
  std::string op;  ///< with its domain, unless that of ONNX.
  std::vector<std::string> nodes;
};

/// All of them in one file. @throws UserError for a file that is no ONNX model, or of an opset
/// outside 7 to 22.
std::vector<UnsupportedOperator> unsupported_onnx_operators(const std::filesystem::path& path);

/// The operators which import_onnx reads, sorted.
std::vector<std::string> supported_onnx_operators();

}  // namespace xgen
