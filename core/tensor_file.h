#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "core/ir/types.h"

namespace xgen {

/// Named tensors and text in one file, which the safetensors libraries read too
/// (github.com/huggingface/safetensors, "Format"): 8 bytes of header length, a JSON header, raw
/// little-endian data. Roles of constants are not stored.
struct TensorFile {
  std::map<std::string, ir::ConstantPtr> tensors;
  std::map<std::string, std::string>
      metadata;  ///< the keys "sha256" and "writer" are the file's own.
};

/// Writes the file atomically, with a SHA-256 over all of it in the metadata.
/// @throws UserError when the disk is full or the folder cannot be written.
void write_tensor_file(const std::filesystem::path& path, const TensorFile& file);

/// Reads a whole file; files of other programs, which carry no SHA-256, are read as well.
/// @throws UserError when it is missing, truncated, corrupted or not of this format.
TensorFile read_tensor_file(const std::filesystem::path& path);

}  // namespace xgen
