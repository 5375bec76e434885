#include "search/spaces/stages.h"

#include <set>

#include "core/error.h"

namespace xgen::search {

std::optional<ConfigProblem> problem_of_choices(const std::string& key,
                                                const std::vector<std::int64_t>& choices) {
  if (choices.empty()) return ConfigProblem{key, "expected at least one choice"};
  std::set<std::int64_t> seen;
  for (const std::int64_t choice : choices) {
    if (!seen.insert(choice).second) return ConfigProblem{key, str(choice, " stands there twice")};
  }
  return std::nullopt;
}

std::vector<std::string> texts_of(const std::vector<std::int64_t>& choices) {
  std::vector<std::string> texts;
  texts.reserve(choices.size());
  for (const std::int64_t choice : choices) texts.push_back(str(choice));
  return texts;
}

LabelledGraph chain_of(const std::vector<std::string>& labels) {
  LabelledGraph graph{{"input"}, {}};
  graph.labels.insert(graph.labels.end(), labels.begin(), labels.end());
  graph.labels.emplace_back("output");
  for (int i = 1; i < static_cast<int>(graph.labels.size()); ++i)
    graph.edges.emplace_back(i - 1, i);
  return graph;
}

}  // namespace xgen::search
