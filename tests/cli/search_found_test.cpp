#include <gtest/gtest.h>

#include "cli/search/found.h"

namespace xgen::cli {
namespace {

using nlohmann::json;

// A run of which the last stage is of this kind: 10 % wrong, 0.5 ms, 1,000 bytes.
json report_of(const std::string& kind) {
  const json network = {{"validation", {{"top1", 0.9}}},
                        {"latency_ms", 0.5},
                        {"size_bytes", 1000},
                        {"memory_bytes", 2000}};
  json last = network;
  if (kind == "compile") last = {{"variants", {json::object(), network}}};
  last["kind"] = kind;
  return {{"stages", {{{"kind", "train"}}, last}}};
}

search::SearchConfig config_with(std::vector<std::string> objectives, double latency_ms_max) {
  search::SearchConfig config;
  config.objectives = std::move(objectives);
  config.requirements.latency_ms_max = latency_ms_max;
  return config;
}

TEST(Found, IsOfTheCompiledNetwork) {
  EXPECT_EQ(found_by(report_of("compile"), {"latency_ms", "peak_bytes", "size_bytes"}, {9, 9, 9}),
            (search::Objectives{0.5, 2000, 1000}));
  EXPECT_NEAR(found_by(report_of("compile"), {"error"}, {9})[0], 10, 1e-9);
}

TEST(Found, IsWhatIsKnownWhereNothingIsCompiled) {
  const search::Objectives found = found_by(report_of("prune"), {"error", "latency_ms"}, {9, 0.7});
  EXPECT_NEAR(found[0], 10, 1e-9);
  EXPECT_EQ(found[1], 0.7);
}

TEST(Found, ARequirementThatIsNoObjectiveIsMissed) {
  const auto missed = [](const std::string& kind, double most) {
    return missed_beside_objectives(report_of(kind), config_with({"error"}, most));
  };
  EXPECT_EQ(missed("compile", 0.4).text, "latency_ms 0.5, required at most 0.4");
  EXPECT_NEAR(missed("compile", 0.4).excess, 0.25, 1e-9);
  EXPECT_EQ(missed("compile", 0.5).text, "");
  EXPECT_EQ(missed("compile", 0.5).excess, 0);
  EXPECT_EQ(missed("prune", 0.4).text, "") << "nothing was measured";
}

TEST(Found, OfAnObjectiveTheStudyKeepsWhatWasFound) {
  const search::SearchConfig config = config_with({"error", "latency_ms"}, 0.4);
  EXPECT_EQ(missed_beside_objectives(report_of("compile"), config).text, "");
}

}  // namespace
}  // namespace xgen::cli
