#pragma once

#include <filesystem>
#include <optional>

#include "codegen/latency/table.h"

namespace xgen::latency {

/// Where a table of this platform is kept: $XDG_DATA_HOME/xgen/latency or
/// ~/.local/share/xgen/latency, by a name made of the platform.
std::filesystem::path table_file(const Platform& platform);

/// The table that was built here for a platform; nothing when there is none.
std::optional<LatencyTable> find_table(const Platform& platform);

}  // namespace xgen::latency
