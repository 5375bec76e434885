#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "core/random.h"
#include "search/labelled_graph.h"
#include "search/pareto.h"
#include "search/space.h"

namespace xgen::search {

/// What is searched, as samplers see it.
struct Problem {
  Space space;
  /// A candidate as a graph, for kernels between candidates.
  std::function<LabelledGraph(const Point&)> graph;
  /// Those of its objectives that are known without a trial, such as a predicted latency; NaN
  /// elsewhere. As many for every candidate.
  std::function<Objectives(const Point&)> known;
};

/// A candidate whose objectives were found out.
struct Trial {
  Point point;
  Objectives objectives;
};

/// A question to a sampler. The answer depends on nothing else, so a study that is resumed goes on
/// with the same candidates.
struct Question {
  const Problem& problem;
  Random random;       ///< the study's.
  std::size_t number;  ///< of the trial that is asked for, from 0 on.
  /// Those whose objectives are told, in the order of their numbers.
  const std::vector<Trial>& trials;
  /// Candidates of other trials: under way, or failed.
  const std::vector<Point>& untold;
};

using Sampler = Point (*)(const Question& question);

/// The sampler of a name of samplers.inc. @throws UserError with a suggestion; `where` says where
/// the name stands.
Sampler find_sampler(const std::string& name, const std::string& where);
std::vector<std::string> sampler_names();

/// Whether a trial, told or untold, is of this candidate.
bool was_tried(const Question& question, const Point& point);
/// A candidate that was not tried, by drawing again; after a hundred draws, the last one.
Point untried(const Question& question, RandomStream& random,
              const std::function<Point(RandomStream&)>& draw);

#define XGEN_SAMPLER(name, description) Point name##_sampler(const Question& question);
#include "search/samplers.inc"
#undef XGEN_SAMPLER

}  // namespace xgen::search
