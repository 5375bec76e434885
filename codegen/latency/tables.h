#pragma once

#include <filesystem>
#include <optional>

#include "codegen/latency/table.h"

namespace xgen::latency {

/// Where a table of this platform is kept: $XDG_DATA_HOME/xgen/latency or
/// ~/.local/share/xgen/latency, by a name made of the platform.
std::filesystem::path table_file(const Platform& platform);

/// The table of a platform: the one that was built here, else one that comes with xgen; nothing
/// when there is none. A table by another version of the same compiler serves where there is no
/// better one.
std::optional<LatencyTable> find_table(const Platform& platform);

}  // namespace xgen::latency
