#include "cli/search/requirement.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "core/config.h"
#include "core/error.h"
#include "core/suggest.h"

namespace xgen::cli {

namespace {

struct Key {
  const char *name, *objective;
};
constexpr std::array kKeys = {Key{"error_max", "error"}, Key{"latency_ms_max", "latency_ms"},
                              Key{"size_bytes_max", "size_bytes"},
                              Key{"peak_ram_bytes_max", "peak_bytes"}};

// Nothing where the key's objective is none of these.
std::optional<std::size_t> objective_of(const Key& key, const std::vector<std::string>& names) {
  const auto at = std::find(names.begin(), names.end(), key.objective);
  if (at == names.end()) return std::nullopt;
  return static_cast<std::size_t>(at - names.begin());
}

double parse_bound(const std::string& text, const std::string& where) {
  double value = 0;
  const char* end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stopped != end || !(value >= 0))
    throw UserError(str(where, ": expected a number of at least 0, got \"", text, "\""));
  return value;
}

double share_beyond(const Requirement& required, double found) {
  if (found <= required.most) return 0;
  return std::max(1e-12, found / std::max(1e-9, required.most) - 1);  // however close, it misses
}

}  // namespace

std::vector<Requirement> requirements_of(const search::SearchLimits& limits,
                                         const std::vector<std::string>& objectives) {
  std::vector<Requirement> all;
  for (const Key& key : kKeys) {
    const std::string objective = key.objective;
    const std::optional<double> most = objective == "error"        ? limits.error_max
                                       : objective == "latency_ms" ? limits.latency_ms_max
                                       : objective == "size_bytes" ? limits.size_bytes_max
                                       : objective == "peak_bytes" ? limits.peak_ram_bytes_max
                                                                   : std::nullopt;
    const std::optional<std::size_t> at = objective_of(key, objectives);
    if (most && at) all.push_back({key.name, *at, *most});
  }
  return all;
}

Requirement parse_requirement(const std::string& text, const search::SearchConfig& config) {
  const std::size_t equals = std::min(text.find('='), text.size());
  const std::string name = text.substr(0, equals);
  std::vector<std::string> known;
  for (const Key& key : kKeys) {
    const std::optional<std::size_t> at = objective_of(key, config.objectives);
    if (!at) continue;
    known.emplace_back(key.name);
    if (name != key.name) continue;
    const std::string value = equals == text.size() ? "" : text.substr(equals + 1);
    return {key.name, *at, parse_bound(value, "--requirements: " + name)};
  }
  throw UserError(str("--requirements: expected one of ", detail::quoted_list(known),
                      ", as the study's objectives are, got \"", name, "\"",
                      did_you_mean(name, known)));
}

double excess(const std::vector<Requirement>& required, const search::Objectives& found) {
  double sum = 0;
  for (const Requirement& r : required) sum += share_beyond(r, found[r.objective]);
  return sum;
}

std::string misses(const std::vector<Requirement>& required, const search::Objectives& found,
                   const std::vector<std::string>& objectives) {
  std::string text;
  for (const Requirement& r : required) {
    if (share_beyond(r, found[r.objective]) > 0)
      text += str(text.empty() ? "" : "; ", objectives[r.objective], " ", found[r.objective],
                  ", required at most ", r.most);
  }
  return text;
}

}  // namespace xgen::cli
