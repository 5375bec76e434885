#pragma once

#include <filesystem>

#include "codegen/latency/build_table.h"
#include "codegen/latency/tables.h"

namespace xgen::latency {

/// build_table() with its progress and the time that is left on stderr. Ctrl-C ends it between two
/// batches. @throws Interrupted, which says that what was measured is kept in `options.file`.
LatencyTable build_with_progress(const Target& target, BuildOptions options);

/// Renames a table that build_table() could not go on with, of another version or platform, to
/// FILE.old, with a warning.
void put_aside_foreign(const std::filesystem::path& file, const Platform& platform);

/// Measures a table of this machine and puts it where find_table() finds it. Until it is finished
/// it is kept under another name, and never serves; the next call goes on with what was measured.
/// @throws as build_with_progress().
FoundTable quick_build(const Target& target, double minutes);

}  // namespace xgen::latency
