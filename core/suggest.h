#pragma once

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace xgen {

/// Levenshtein distance, for "did you mean".
inline std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t substitute = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = std::exchange(row[j], std::min({row[j] + 1, row[j - 1] + 1, substitute}));
    }
  }
  return row.back();
}

/// `; did you mean "Z"?` for the candidate nearest to `wanted`, or nothing when none is close: at
/// most two edits, and fewer than half of the letters. Ties go to the first candidate.
template <class Names>
std::string did_you_mean(std::string_view wanted, const Names& candidates) {
  std::string_view nearest;
  std::size_t best = 3;
  for (const auto& candidate : candidates) {
    const std::size_t distance = edit_distance(wanted, candidate);
    if (distance < best && 2 * distance < std::max(wanted.size(), std::size(candidate))) {
      best = distance;
      nearest = candidate;
    }
  }
  return best == 3 ? "" : "; did you mean \"" + std::string(nearest) + "\"?";
}

}  // namespace xgen
