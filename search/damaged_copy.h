#pragma once

#include <filesystem>

namespace xgen::search {

/// Copies a damaged SQLite file, with its log (FILE-wal), to FILE.damaged, so that nothing that is
/// done to the file afterwards loses what can be recovered. A copy of other bytes that is there
/// already stays: the next is FILE.damaged2 and so on; one of the same bytes is not made again.
///
/// @return the copy.
/// @throws UserError which names the copy where it cannot be written.
std::filesystem::path keep_damaged_copy(const std::filesystem::path& file);

}  // namespace xgen::search
