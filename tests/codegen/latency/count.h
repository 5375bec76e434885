#pragma once

#include <algorithm>
#include <string>

#include "codegen/latency/work.h"

namespace xgen::latency {

/// The place of a count among those of a kernel, by its name.
inline std::size_t place_of_count(const std::string& kernel, const std::string& name) {
  const auto& names = work_names(kernel);
  return static_cast<std::size_t>(std::find(names.begin(), names.end(), name) - names.begin());
}

inline double count_of(const Work& work, const std::string& name) {
  return work.counts.at(place_of_count(work.kernel, name));
}

}  // namespace xgen::latency
