#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "core/ir/graph.h"

namespace xgen {

/// Writes `graph` as an ONNX file of opset 13, or of the lowest later one that has its operators.
///
/// Names of values and nodes stay; QuantizeLinear and DequantizeLinear stay nodes; SiLU and
/// hard-swish are written as the operators that they are made of. Masks of weights are stored as
/// JSON in the entry "xgen.sparsity" of the metadata and read back by import_onnx. The same graph
/// gives the same bytes.
///
/// @param graph     with shapes, before fusion and quantization lowering.
/// @param metadata  further entries of the file's metadata.
/// @throws UserError when the file cannot be written or would exceed ONNX' limit of 2 GiB; nothing
///         is half-written.
void export_onnx(const ir::Graph& graph, const std::filesystem::path& path,
                 const std::map<std::string, std::string>& metadata = {});

/// SHA-256 of the file that export_onnx() would write, as 64 hexadecimal digits.
std::string onnx_sha256(const ir::Graph& graph);

}  // namespace xgen
