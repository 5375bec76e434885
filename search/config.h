#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/config.h"
#include "search/sampler.h"
#include "search/spaces/macro.h"

namespace xgen::search {

/// What every candidate must keep. Size and memory are known before a candidate is trained, latency
/// is predicted: where it surely is too long, the candidate is not tried.
struct SearchLimits {
  std::optional<double> latency_ms_max, size_bytes_max, peak_ram_bytes_max;

  template <class V>
  void describe(V& v) {
    v.number("latency_ms_max", latency_ms_max, {0, 1e9}, "Latency of one image, one thread.");
    v.number("size_bytes_max", size_bytes_max, {0, 1e15}, "Stored weights and lists.");
    v.number("peak_ram_bytes_max", peak_ram_bytes_max, {0, 1e15}, "Memory that a run needs.");
  }
};

/// What `xgen-train search` reads.
struct SearchConfig {
  int version = 1;
  std::string name;
  std::uint64_t seed = 1;
  std::string target = "host";
  std::string latency_table;
  std::variant<MacroSpace> space;
  std::string run;
  std::string sampler = "bayesian";
  std::int64_t trials = 100;
  int in_flight = 1;
  std::vector<std::string> objectives = {"error", "latency_ms"};
  std::string study;
  SearchLimits requirements;

  template <class V>
  void describe(V& v) {
    v.number("version", version, {1, 1}, "Version of this format.", Need::required);
    v.text("name", name, "Names the study.", Need::required);
    v.number("seed", seed, {0, 1'000'000'000}, "One seed, one sequence of candidates.");
    v.text("target", target, "Device: host, a built-in target, or a JSON file.");
    v.text("latency_table", latency_table,
           "File of a latency table to predict by; without one, the one that serves the target.");
    v.variant("space", space, "kind", "What candidates are.", Need::required);
    v.text("run", run,
           "Config of a run that trains and compiles a candidate, which takes the place of its "
           "model.");
    v.choice("sampler", sampler, sampler_names(), "What proposes candidates.");
    v.number("trials", trials, {1, 1'000'000}, "How many candidates are tried.");
    v.number("in_flight", in_flight, {1, 1000},
             "Trials that may be under way at once: trial n is proposed from what trials up to n - "
             "in_flight found, whoever ran them. As many workers can be busy.");
    v.texts("objectives", objectives,
            "What is minimised: error (percent of the validation samples), latency_ms, size_bytes, "
            "peak_bytes.");
    v.text("study", study,
           "Where trials are kept: a SQLite file, or postgresql://USER@HOST/DATABASE for workers "
           "on several machines; study.db in the folder of the search by default.");
    v.object("requirements", requirements, "What every candidate must keep.");
  }
  std::optional<ConfigProblem> problem() const;
};

/// Names that `objectives` may have.
const std::vector<std::string>& objective_names();

}  // namespace xgen::search
