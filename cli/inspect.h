#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

namespace xgen::cli {

/// What there is to know of an ONNX file:
///
///   layers       name, op, output shape, MACs (those of the mask's zeros left out, and all),
///                parameters, those that are not zero, sparsity scheme
///   macs, dense_macs, parameters, nonzero: sums, a shared constant counted once
///   peak_bytes   memory of the model compiled for this machine, weights included; null where it
///                does not compile
///   unsupported  op, node, reason: operators which are not read, nodes which no kernel serves,
///                or dimensions without a size
///   trainable, trainable_reason
///
/// @param dims  sizes of symbolic dimensions; leading ones are 1 unless given.
/// @throws UserError for a file that is no ONNX model.
nlohmann::json inspect_onnx(const std::filesystem::path& path,
                            const std::map<std::string, std::int64_t>& dims);

/// The same of a bundle, from its manifest.
nlohmann::json inspect_bundle(const std::filesystem::path& path);

}  // namespace xgen::cli
