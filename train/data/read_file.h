#pragma once

#include <filesystem>
#include <string>

namespace xgen::train {

/// The contents of a file, unpacked when it is compressed with gzip.
/// @throws UserError when it is missing, cannot be read, or its compressed data are damaged.
std::string read_maybe_compressed(const std::filesystem::path& path);

}  // namespace xgen::train
