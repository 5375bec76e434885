#include "codegen/latency/tables.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <string>

#include "codegen/embedded.h"
#include "core/error.h"
#include "core/log.h"

namespace xgen::latency {

namespace {

namespace fs = std::filesystem;

fs::path data_folder() {
  if (const char* folder = std::getenv("XDG_DATA_HOME"); folder != nullptr && *folder != 0)
    return fs::path(folder) / "xgen/latency";
  const char* home = std::getenv("HOME");
  return fs::path(home == nullptr ? "." : home) / ".local/share/xgen/latency";
}

std::string file_safe(std::string name) {
  for (char& c : name) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '.' && c != '-') c = '_';
  }
  return name;
}

// A platform but for the compiler.
std::string machine_name(const Platform& platform) {
  return str(platform.target, " ", platform.cpu, " ", platform.kernels, " ");
}

// Files of the user's own tables whose names begin so, the last first.
std::vector<fs::path> own_files(const std::string& prefix) {
  std::vector<fs::path> files;
  std::error_code none;
  for (const fs::directory_entry& entry : fs::directory_iterator(data_folder(), none)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with(prefix) && name.ends_with(".json")) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end(), std::greater<>());
  return files;
}

// @param prefix  of the names of the user's own files.
std::vector<FoundTable> tables(const std::string& prefix) {
  std::vector<FoundTable> found;
  for (const fs::path& file : own_files(prefix)) {
    try {
      found.push_back({LatencyTable::load(file), file.string()});
    } catch (const UserError& error) {
      log::warning(str("a latency table is left aside: ", error.what()));
    }
  }
  std::vector<std::string> committed = embedded_files(".fits");
  std::reverse(committed.begin(), committed.end());
  for (const std::string& name : committed)
    found.push_back({LatencyTable::parse(embedded_file(name), name), kCommitted});
  return found;
}

std::string percent(double share) {
  // Two digits are all that an error is known to.
  const double digits = share < 0.1 ? 1e3 : 1e2;
  return str(std::round(digits * share) * 100 / digits, " %");
}

}  // namespace

fs::path table_file(const Platform& platform) {
  return data_folder() / (file_safe(machine_name(platform) + platform.compiler) + ".json");
}

std::vector<FoundTable> all_tables() { return tables(""); }

std::optional<FoundTable> find_table(const Platform& platform) {
  return choose_table(tables(file_safe(machine_name(platform))), platform);
}

std::optional<FoundTable> choose_table(const std::vector<FoundTable>& tables,
                                       const Platform& platform) {
  const FoundTable* of_other_compiler = nullptr;
  for (const FoundTable& found : tables) {
    Platform its = found.table.platform();
    if (its == platform) return found;
    its.compiler = platform.compiler;
    if (its == platform && of_other_compiler == nullptr) of_other_compiler = &found;
  }
  if (of_other_compiler == nullptr) return std::nullopt;
  FoundTable found = *of_other_compiler;
  found.same_compiler = false;
  return found;
}

std::string text_of(const FoundTable& found) {
  const Platform& p = found.table.platform();
  std::size_t calls = 0;
  for (const auto& [kernel, fit] : found.table.fits()) calls += fit.samples;
  std::string text =
      str("latency table of ", p.cpu, ", ", p.kernels, ", ", p.compiler, " (", found.origin, "): ");
  text += calls == 0 ? std::string("nothing was measured for it")
                     : str("of its ", calls, " measured kernel calls, when left out of the fit, ",
                           percent(found.table.hit_rate()), " are predicted within 10 %");
  if (!found.same_compiler) text += "; it is of another compiler than the one here";
  return text;
}

void say(const FoundTable& found) {
  found.same_compiler ? log::info(text_of(found)) : log::warning(text_of(found));
}

std::string text_of_no_table(const Platform& platform) {
  return str("no latency table of ", platform.cpu, " with ", platform.kernels,
             ": the static estimate serves, which knows the order of kernels rather than their "
             "times; `xgen-train latency build --minutes 2` measures one");
}

LatencyTable load_table(const std::filesystem::path& file, const Target& target) {
  LatencyTable table = LatencyTable::load(file);
  const Platform& of = table.platform();
  if (of.target != target.name)
    throw UserError(
        str(file.string(), ": /target: expected \"", target.name, "\", got \"", of.target, "\""));
  std::string known;
  for (const std::string& isa : target.kernels) {
    if (isa == of.kernels) return table;
    known += str(known.empty() ? "" : ", ", isa);
  }
  throw UserError(str(file.string(), ": /kernels: expected one of target \"", target.name, "\" (",
                      known, "), got \"", of.kernels, "\""));
}

}  // namespace xgen::latency
