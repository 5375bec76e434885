#pragma once

#include <filesystem>

#include "core/ir/types.h"

namespace xgen {

/// Reads a NumPy array file (format versions 1 to 3, C order, little endian) of float32, float64,
/// int64, int32, int8, uint8 or bool.
/// @throws UserError `FILE: expected X, got Y` when it is missing, truncated, no .npy file, in
///         Fortran order, or of another element type.
ir::Constant read_npy(const std::filesystem::path& path);

/// Writes one atomically, as numpy.save does.
/// @throws UserError when the file cannot be written.
void write_npy(const std::filesystem::path& path, const ir::Constant& array);

}  // namespace xgen
