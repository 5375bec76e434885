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
  /// How far a candidate is from what every one must keep, as far as that is known before: 0 where
  /// it keeps all; no function: nothing is asked. Samplers propose no other candidates.
  std::function<double(const Point&)> violation;
  /// How much harm each choice does by itself, by parameter and choice: more is worse, in whatever
  /// unit. No choices: not known of that parameter; no parameters: of none.
  std::vector<std::vector<double>> harm;

  /// Whether what a step found of a candidate keeps that, so that it may go on to the next step; no
  /// function: all do.
  std::function<bool(std::size_t step, const Objectives& found)> keeps;
  /// The most of each objective that counts in the last step; none: any.
  Objectives most;

  bool allows(const Point& point) const { return !violation || violation(point) <= 0; }
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
/// A candidate that was not tried and is allowed, by drawing again and changing what is drawn until
/// it is; the last one where a hundred draws find none.
Point untried(const Question& question, RandomStream& random,
              const std::function<Point(RandomStream&)>& draw);
/// The point, changed choice by choice as long as that brings it nearer to what is allowed.
Point nearest_allowed(const Problem& problem, Point point, RandomStream& random);

#define XGEN_SAMPLER(name, description) Point name##_sampler(const Question& question);
#include "search/samplers.inc"
#undef XGEN_SAMPLER

}  // namespace xgen::search
