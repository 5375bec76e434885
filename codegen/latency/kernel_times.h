#pragma once

#include <cstddef>
#include <filesystem>

#include "codegen/latency/table.h"

/// Times of single kernels that runs on this machine have measured, kept for other runs.
namespace xgen::latency {

/// Where those of a platform are kept: $XDG_DATA_HOME/xgen/kernels or ~/.local/share/xgen/kernels,
/// by a name made of the platform. A file of LatencyStore's form, so that a run can be given it.
std::filesystem::path kernel_times_file(const Platform& platform);

/// Adds the kernels that a run timed; what the file knows already stays as it is. Several processes
/// may do so at once.
///
/// @param measurements  of a run, as LatencyStore leaves it.
/// @return how many were new.
std::size_t keep_kernel_times(const std::filesystem::path& measurements,
                              const std::filesystem::path& file);

}  // namespace xgen::latency
