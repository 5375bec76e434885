#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "codegen/latency/table.h"

/// The tables that need not be named: those which the user built, and those committed with xgen.
namespace xgen::latency {

/// A table and where it is from.
struct FoundTable {
  LatencyTable table;
  std::string origin;         ///< its file, or kCommitted.
  bool same_compiler = true;  ///< false: it was measured with another compiler than was asked for.
};
inline constexpr const char* kCommitted = "committed with xgen";

/// Where a table of this platform is kept: $XDG_DATA_HOME/xgen/latency or
/// ~/.local/share/xgen/latency, by a name made of the platform.
std::filesystem::path table_file(const Platform& platform);

/// The user's own tables, then the committed ones, each by name, the last first. A file that cannot
/// be read is left aside, with a warning.
std::vector<FoundTable> all_tables();

/// The table that serves a platform; nothing when there is none.
///
/// In this order: of the very platform, the user's own, then a committed one; of another compiler
/// for the same CPU and instruction set, likewise. A compiler changes times by less than a static
/// estimate is off.
std::optional<FoundTable> find_table(const Platform& platform);
/// The same among `tables`, of which the first that fits serves.
std::optional<FoundTable> choose_table(const std::vector<FoundTable>& tables,
                                       const Platform& platform);

/// For a person, in one line: whose table it is, and how far it is off on calls that were left out
/// of the fit.
std::string text_of(const FoundTable& found);
/// Says that on stderr, as a warning where another compiler's table serves.
void say(const FoundTable& found);
/// For a person: that there is none of this platform, what serves instead, and how to get one.
std::string text_of_no_table(const Platform& platform);

/// The table of a file, for this target. @throws UserError for one of another target, or with an
/// instruction set that the target does not have.
LatencyTable load_table(const std::filesystem::path& file, const Target& target);

}  // namespace xgen::latency
