#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace xgen {

/// A file that the build embedded (kernel texts, target descriptions), by its name without folder.
/// @throws InternalError when there is none.
std::string_view embedded_file(std::string_view name);
/// The names of all embedded files with this ending, sorted.
std::vector<std::string> embedded_files(std::string_view ending);

}  // namespace xgen
