#pragma once

#include <filesystem>
#include <string_view>

namespace xgen {

/// Writes a whole file or leaves the old one untouched: temporary file beside it, fsync, rename,
/// and fsync of the folder, so that a power failure leaves one of the two. Missing folders are
/// made.
///
/// @throws UserError which names the file and the reason (no space, no permission, ...).
void write_atomically(const std::filesystem::path& path, std::string_view bytes);

/// Removes the temporary files that killed writers left in `folder`, not in folders below it.
/// Nobody else may be writing there. A folder that is not there has none.
void remove_unfinished(const std::filesystem::path& folder);

}  // namespace xgen
