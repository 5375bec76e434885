#pragma once

#include <cmath>
#include <cstdio>
#include <string>

namespace xgen::prune {

/// A rate for a message, with two decimals, rounded down: what is named as reachable is.
inline std::string rate_text(double rate) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2f", std::floor(rate * 100) / 100);
  return text;
}

}  // namespace xgen::prune
