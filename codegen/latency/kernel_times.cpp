#include "codegen/latency/kernel_times.h"

#include <nlohmann/json.hpp>

#include "codegen/latency/latency_store.h"
#include "codegen/latency/tables.h"
#include "core/atomic_file.h"
#include "core/config_file.h"
#include "core/file_lock.h"

namespace xgen::latency {

namespace {

namespace fs = std::filesystem;
using nlohmann::json;

// What was found, as it would have been at the speed that the machine had for what is known.
void at_speed_of(const json& known, json& found) {
  const double theirs = found.value("reference_us", 0.0), ours = known.value("reference_us", 0.0);
  if (ours > 0) found["reference_us"] = ours;
  if (theirs == ours || theirs <= 0 || ours <= 0) return;
  for (auto& [name, us] : found["layers_us"].items()) us = us.get<double>() * ours / theirs;
}

}  // namespace

fs::path kernel_times_file(const Platform& platform) {
  const fs::path table = table_file(platform);
  return table.parent_path().parent_path() / "kernels" / table.filename();
}

std::size_t keep_kernel_times(const fs::path& measurements, const fs::path& file) {
  json found = load_config_json(measurements);
  std::erase_if(found["layers_us"].get_ref<json::object_t&>(),
                [](const auto& entry) { return !LatencyStore::names_a_kernel(entry.first); });
  fs::create_directories(file.parent_path());
  const FileLock lock(file.string() + ".lock");
  std::size_t before = 0;
  if (fs::exists(file)) {
    const json known = load_config_json(file);
    before = known.at("layers_us").size();
    at_speed_of(known, found);
    found["layers_us"].update(known.at("layers_us"));
  }
  const std::size_t fresh = found["layers_us"].size() - before;
  if (fresh > 0) write_atomically(file, found.dump(1) + "\n");
  return fresh;
}

}  // namespace xgen::latency
