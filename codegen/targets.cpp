#include "codegen/targets.h"

#include <filesystem>
#include <nlohmann/json.hpp>

#include "codegen/embedded.h"
#include "core/config_file.h"
#include "core/error.h"

namespace xgen {

namespace {

#if defined(__aarch64__)
constexpr const char* kHostArch = "aarch64";
#else
constexpr const char* kHostArch = "x86_64";
#endif

}  // namespace

std::vector<std::string> target_names() {
  std::vector<std::string> names = {"host"};
  for (const std::string& file : embedded_files(".json"))
    names.push_back(file.substr(0, file.size() - 5));
  return names;
}

Target find_target(const std::string& name_or_file) {
  const std::string name = name_or_file == "host" ? kHostArch : name_or_file;
  for (const std::string& file : embedded_files(".json")) {
    if (file == name + ".json")
      return read_config<Target>(nlohmann::json::parse(embedded_file(file)), file);
  }
  if (std::filesystem::is_regular_file(name_or_file))
    return read_config<Target>(load_config_json(name_or_file), name_or_file);
  std::string known;
  for (const std::string& n : target_names()) known += str(known.empty() ? "" : ", ", n);
  throw UserError(
      str("unknown target \"", name_or_file, "\"; known targets: ", known, ", or a JSON file"));
}

std::vector<const kernels::Isa*> isas_of(const Target& target) {
  std::vector<const kernels::Isa*> isas;
  for (const std::string& name : target.kernels) isas.push_back(&kernels::find_isa(name));
  return isas;
}

bool runs_here(const Target& target) { return target.arch == kHostArch; }

}  // namespace xgen
