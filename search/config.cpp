#include "search/config.h"

#include <algorithm>
#include <set>

#include "core/suggest.h"

namespace xgen::search {

const std::vector<std::string>& objective_names() {
  static const std::vector<std::string> names = {"error", "latency_ms", "size_bytes", "peak_bytes"};
  return names;
}

std::optional<ConfigProblem> SearchConfig::problem() const {
  const std::vector<std::string>& names = objective_names();
  if (objectives.empty()) return ConfigProblem{"objectives", "expected at least one objective"};
  std::set<std::string> seen;
  for (const std::string& objective : objectives) {
    if (std::find(names.begin(), names.end(), objective) == names.end())
      return ConfigProblem{
          "objectives", str("expected one of ", detail::quoted_list(names), ", got \"", objective,
                            "\"", did_you_mean(objective, names))};
    if (!seen.insert(objective).second)
      return ConfigProblem{"objectives", str("\"", objective, "\" stands there twice")};
  }
  return std::nullopt;
}

}  // namespace xgen::search
