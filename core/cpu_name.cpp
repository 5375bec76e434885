#include "core/cpu_name.h"

#include <fstream>
#include <map>
#include <string_view>

#include "core/error.h"

namespace xgen {

namespace {

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t"), last = text.find_last_not_of(" \t");
  return first == text.npos ? std::string_view() : text.substr(first, last + 1 - first);
}

// What is said of the first processor, whose lines an empty one ends.
std::map<std::string, std::string, std::less<>> first_processor(std::istream& info) {
  std::map<std::string, std::string, std::less<>> said;
  for (std::string line; std::getline(info, line) && !trimmed(line).empty();) {
    const std::size_t colon = line.find(':');
    if (colon == std::string::npos) continue;
    const std::string_view all = line;
    said.emplace(trimmed(all.substr(0, colon)), trimmed(all.substr(colon + 1)));
  }
  return said;
}

}  // namespace

std::string cpu_name(std::istream& info) {
  const auto said = first_processor(info);
  std::string name;
  const auto add = [&](const char* key, const char* word) {
    const auto found = said.find(key);
    if (found == said.end() || found->second.empty()) return;
    name += str(name.empty() ? "" : ", ", word, *word == 0 ? "" : " ", found->second);
  };
  add("model name", "");
  add("cpu family", "family");
  add("model", "model");
  add("CPU implementer", "CPU implementer");
  add("CPU part", "part");
  return name.empty() ? "unknown" : name;
}

std::string cpu_name() {
  std::ifstream info("/proc/cpuinfo");
  return cpu_name(info);
}

}  // namespace xgen
