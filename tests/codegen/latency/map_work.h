#pragma once

#include "tests/codegen/latency/count.h"

namespace xgen::latency {

/// The work of a map_f32 over so many vectors which are all near.
inline Work map_work(double vectors) {
  Work work{"map_f32", std::vector<double>(work_names("map_f32").size(), 0.0)};
  work.counts[0] = 1;  // calls
  work.counts[place_of_count("map_f32", "vectors")] = vectors;
  return work;
}

}  // namespace xgen::latency
