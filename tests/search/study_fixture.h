#pragma once

#include <limits>
#include <string>

#include "core/error.h"
#include "search/study.h"

/// A problem that is solved in microseconds, for tests of what keeps a study.
namespace xgen::search {

inline constexpr double kSilent = 3600;  ///< nobody is dead

/// Eight decisions of four choices; the error is what the choices are short of.
inline Problem problem() {
  Problem problem;
  problem.space.name = "eight";
  for (int i = 0; i < 8; ++i)
    problem.space.parameters.push_back({str("p", i), {"0", "1", "2", "3"}});
  problem.graph = [](const Point& point) {
    LabelledGraph graph;
    for (std::size_t i = 0; i < point.size(); ++i) graph.labels.push_back(str(i, ":", point[i]));
    return graph;
  };
  problem.known = [](const Point&) { return Objectives{std::numeric_limits<double>::quiet_NaN()}; };
  return problem;
}

inline Objectives objectives_of(const Point& point) {
  double error = 30;
  for (std::size_t i = 0; i < point.size(); ++i)
    error -= point[i] * (1 + 0.01 * static_cast<double>(i));
  return {error};
}

inline StudySettings settings(int in_flight) {
  return {"eight", "{\"kind\":\"test\"}", {"error"}, "evolution", 7, in_flight};
}

}  // namespace xgen::search
