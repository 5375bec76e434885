#pragma once

#include <cstddef>
#include <string_view>

namespace xgen {

/// `*` matches any run of characters, '/' included, and `?` any one.
inline bool matches_glob(std::string_view glob, std::string_view name) {
  // Greedy with one point of return: the last `*` and what it has swallowed.
  std::size_t g = 0;
  std::size_t n = 0;
  std::size_t star = std::string_view::npos;
  std::size_t resume = 0;
  while (n < name.size()) {
    if (g < glob.size() && glob[g] == '*') {
      star = g++;
      resume = n;
    } else if (g < glob.size() && (glob[g] == '?' || glob[g] == name[n])) {
      ++g;
      ++n;
    } else if (star != std::string_view::npos) {
      g = star + 1;
      n = ++resume;
    } else {
      return false;
    }
  }
  while (g < glob.size() && glob[g] == '*') ++g;
  return g == glob.size();
}

}  // namespace xgen
