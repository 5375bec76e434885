#pragma once

#include <string>

namespace xgen::ir {

/// A node that rewriting makes of two is called "first+second". Whether `name` is that of `node`,
/// or of one that `node` went into.
inline bool is_made_of(const std::string& name, const std::string& node) {
  return ("+" + name + "+").find("+" + node + "+") != std::string::npos;
}

}  // namespace xgen::ir
