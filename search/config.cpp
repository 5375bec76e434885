#include "search/config.h"

#include <algorithm>
#include <set>

#include "core/suggest.h"

namespace xgen::search {

const std::vector<std::string>& objective_names() {
  static const std::vector<std::string> names = {"error", "latency_ms", "size_bytes", "peak_bytes"};
  return names;
}

std::optional<ConfigProblem> StepConfig::problem() const {
  if (proxy.has_value() + supernet.has_value() + (blocks || !set.empty() || !stages.empty()) > 1)
    return ConfigProblem{"",
                         "expected \"proxy\", \"supernet\" or a run (\"blocks\", \"set\", "
                         "\"stages\"), got several"};
  const std::vector<std::string> proxies = {
#define XGEN_PROXY(name, description) #name,
#include "search/proxies.inc"
#undef XGEN_PROXY
  };
  if (proxy && std::find(proxies.begin(), proxies.end(), *proxy) == proxies.end())
    return ConfigProblem{"proxy", str("expected one of ", detail::quoted_list(proxies), ", got \"",
                                      *proxy, "\"", did_you_mean(*proxy, proxies))};
  return std::nullopt;
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
  if (compression && compression->sensitivity && sampler != "bayesian")
    return ConfigProblem{"sampler", str("expected \"bayesian\", which alone looks at "
                                        "compression.sensitivity, got \"",
                                        sampler, "\"")};
  std::set<std::string> steps_seen;
  double least = 1;  // candidates, of which one gets to the last step
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (!steps_seen.insert(steps[i].name).second)
      return ConfigProblem{"steps", str("\"", steps[i].name, "\" stands there twice")};
    if (i > 0) least *= reduction;
    if (steps[i].blocks &&
        (!compression || compression->per != "layer" || !compression->groups.empty()))
      return ConfigProblem{"steps", str("\"", steps[i].name,
                                        "\": blocks ask for compression with \"per\": \"layer\" "
                                        "and without \"groups\"")};
    if (steps[i].supernet && !std::holds_alternative<MacroSpace>(space))
      return ConfigProblem{"steps", str("\"", steps[i].name,
                                        "\": a supernet shares the blocks of a space of kind "
                                        "\"macro\", got another one")};
  }
  if (!steps.empty() && !steps.back().runs())
    return ConfigProblem{"steps", str("\"", steps.back().name,
                                      "\": the last step counts: expected a run, got a cheaper "
                                      "judgement")};
  if (static_cast<double>(trials) < least)
    return ConfigProblem{"trials", str("expected at least ", least,
                                       ", of which one candidate gets "
                                       "to the last of ",
                                       steps.size(), " steps, got ", trials)};
  if (steps.size() > 1 && bootstrap > trials)
    return ConfigProblem{"bootstrap", str("expected at most ", trials,
                                          ", the number of candidates, "
                                          "got ",
                                          bootstrap)};
  return std::nullopt;
}

}  // namespace xgen::search
