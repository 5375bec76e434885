#pragma once

#include <string>
#include <string_view>

#include "core/glob.h"

namespace xgen::ir {

/// A node that rewriting makes of two is called "first+second". Whether `name` is that of `node`,
/// or of one that `node` went into.
inline bool is_made_of(const std::string& name, const std::string& node) {
  return ("+" + name + "+").find("+" + node + "+") != std::string::npos;
}

/// Whether a glob names a node, or one that went into it.
inline bool matches_part(std::string_view glob, std::string_view name) {
  if (matches_glob(glob, name)) return true;
  while (!name.empty()) {
    const std::size_t end = name.find('+');
    if (matches_glob(glob, name.substr(0, end))) return true;
    name = end == std::string_view::npos ? "" : name.substr(end + 1);
  }
  return false;
}

}  // namespace xgen::ir
