#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/config.h"
#include "search/labelled_graph.h"
#include "search/space.h"

namespace xgen::search {

/// What a point chose for one stage.
struct StageChoice {
  std::int64_t width = 0, depth = 0;
};

/// A list of choices that is empty or holds one twice, or nothing.
std::optional<ConfigProblem> problem_of_choices(const std::string& key,
                                                const std::vector<std::int64_t>& choices);

std::vector<std::string> texts_of(const std::vector<std::int64_t>& choices);

/// "stage1.width", "stage1.depth", ...: two parameters for each stage, which has lists `widths` and
/// `depths`.
template <class Stage>
std::vector<Parameter> stage_parameters(const std::vector<Stage>& stages) {
  std::vector<Parameter> parameters;
  for (std::size_t i = 0; i < stages.size(); ++i) {
    const std::string prefix = "stage" + std::to_string(i + 1);
    parameters.push_back({prefix + ".width", texts_of(stages[i].widths)});
    parameters.push_back({prefix + ".depth", texts_of(stages[i].depths)});
  }
  return parameters;
}

/// @param point  of a space whose parameters are stage_parameters().
template <class Stage>
std::vector<StageChoice> stage_choices(const std::vector<Stage>& stages, const Point& point) {
  std::vector<StageChoice> choices;
  for (std::size_t i = 0; i < stages.size(); ++i)
    choices.push_back({stages[i].widths.at(static_cast<std::size_t>(point.at(2 * i))),
                       stages[i].depths.at(static_cast<std::size_t>(point.at(2 * i + 1)))});
  return choices;
}

/// The labels between "input" and "output", each read by the next one.
LabelledGraph chain_of(const std::vector<std::string>& labels);

}  // namespace xgen::search
