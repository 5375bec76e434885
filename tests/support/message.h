#pragma once

#include <string>

#include "core/error.h"

namespace xgen::test {

/// The message of the UserError that `f` throws, with `path` written as "F"; "" when it throws
/// none.
template <class Function>
std::string message_of(const Function& f, const std::string& path = "") {
  try {
    f();
  } catch (const UserError& error) {
    std::string text = error.what();
    for (std::size_t at = 0; !path.empty() && (at = text.find(path)) != std::string::npos;) {
      text.replace(at, path.size(), "F");
    }
    return text;
  }
  return "";
}

}  // namespace xgen::test
