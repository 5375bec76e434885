#include "codegen/embedded.h"

#include <map>

#include "core/error.h"

namespace xgen {

namespace {

// Made by cmake/XgenEmbed.cmake.
const std::map<std::string_view, std::string_view>& files() {
  static const std::map<std::string_view, std::string_view> all = {
#include "xgen_embedded_files.inc"
  };
  return all;
}

}  // namespace

std::string_view embedded_file(std::string_view name) {
  const auto it = files().find(name);
  XGEN_CHECK(it != files().end(), "no embedded file ", std::string(name));
  return it->second;
}

std::vector<std::string> embedded_files(std::string_view ending) {
  std::vector<std::string> names;
  for (const auto& [name, text] : files()) {
    if (name.size() >= ending.size() && name.substr(name.size() - ending.size()) == ending)
      names.emplace_back(name);
  }
  return names;
}

}  // namespace xgen
