#pragma once

#include <cstdint>
#include <string>
#include <variant>

#include "core/config.h"
#include "search/spaces/macro.h"

namespace xgen::search {

/// What `xgen-train search` reads.
struct SearchConfig {
  int version = 1;
  std::string name;
  std::uint64_t seed = 1;
  std::string target = "host";
  std::string latency_table;
  std::variant<MacroSpace> space;

  template <class V>
  void describe(V& v) {
    v.number("version", version, {1, 1}, "Version of this format.", Need::required);
    v.text("name", name, "Names the study.", Need::required);
    v.number("seed", seed, {0, 1'000'000'000}, "One seed, one sequence of candidates.");
    v.text("target", target, "Device: host, a built-in target, or a JSON file.");
    v.text("latency_table", latency_table,
           "File of a latency table to predict by; without one, the one that serves the target.");
    v.variant("space", space, "kind", "What candidates are.", Need::required);
  }
};

}  // namespace xgen::search
