#pragma once

#include <algorithm>

#include "codegen/latency/work.h"

namespace xgen::latency {

/// The work of a map_f32 over so many vectors which are all near.
inline Work map_work(double vectors) {
  const auto& names = work_names("map_f32");
  Work work{"map_f32", std::vector<double>(names.size(), 0.0)};
  work.counts[0] = 1;  // calls
  work.counts[static_cast<std::size_t>(std::find(names.begin(), names.end(), "vectors") -
                                       names.begin())] = vectors;
  return work;
}

}  // namespace xgen::latency
