#include "codegen/latency/tables.h"

#include <cctype>
#include <cstdlib>

#include "core/error.h"

namespace xgen::latency {

namespace {

std::filesystem::path data_folder() {
  if (const char* folder = std::getenv("XDG_DATA_HOME"); folder != nullptr && *folder != 0)
    return std::filesystem::path(folder) / "xgen/latency";
  const char* home = std::getenv("HOME");
  return std::filesystem::path(home == nullptr ? "." : home) / ".local/share/xgen/latency";
}

}  // namespace

std::filesystem::path table_file(const Platform& platform) {
  std::string name = str(platform.cpu, " ", platform.kernels, " ", platform.compiler);
  for (char& c : name) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '.' && c != '-') c = '_';
  }
  return data_folder() / (name + ".json");
}

std::optional<LatencyTable> find_table(const Platform& platform) {
  const auto file = table_file(platform);
  if (!std::filesystem::exists(file)) return std::nullopt;
  LatencyTable table = LatencyTable::load(file);
  if (table.platform() == platform) return table;
  return std::nullopt;
}

}  // namespace xgen::latency
