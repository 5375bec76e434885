#include "codegen/latency/tables.h"

#include <cctype>
#include <cstdlib>

#include "codegen/embedded.h"
#include "core/config_file.h"
#include "core/error.h"
#include "core/log.h"

namespace xgen::latency {

namespace {

std::filesystem::path data_folder() {
  if (const char* folder = std::getenv("XDG_DATA_HOME"); folder != nullptr && *folder != 0)
    return std::filesystem::path(folder) / "xgen/latency";
  const char* home = std::getenv("HOME");
  return std::filesystem::path(home == nullptr ? "." : home) / ".local/share/xgen/latency";
}

bool same_machine(const Platform& a, const Platform& b) {
  return a.target == b.target && a.kernels == b.kernels && a.cpu == b.cpu;
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
  if (const auto own = table_file(platform); std::filesystem::exists(own)) {
    LatencyTable table = LatencyTable::load(own);
    if (table.platform() == platform) return table;
  }
  std::optional<LatencyTable> near;
  for (const std::string& name : embedded_files(".latency")) {
    LatencyTable table =
        LatencyTable::parse(parse_config_json(std::string(embedded_file(name)), name), name);
    if (table.platform() == platform) return table;
    if (same_machine(table.platform(), platform)) near = std::move(table);
  }
  return near;
}

}  // namespace xgen::latency
