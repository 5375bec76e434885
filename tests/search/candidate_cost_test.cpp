#include "search/candidate_cost.h"

#include <gtest/gtest.h>

#include "codegen/compile.h"
#include "codegen/targets.h"
#include "search/spaces/macro.h"

namespace xgen::search {
namespace {

TEST(CostOf, IsThatOfTheCompiledNetwork) {
  const Target target = find_target("x86_64");
  const latency::LatencyTable table({"x86_64", "x86-avx512-vnni", "", ""}, {});
  const Point point = {1, 0, 2, 0, 1, 2, 0, 1};
  CompileOptions options;
  options.target = target;
  const CompiledModel model = compile(nas_bench_macro().network(point, Random(1)), options);
  const CandidateCost cost = cost_of(nas_bench_macro().network(point, std::nullopt), target, table);
  EXPECT_EQ(cost.size_bytes, static_cast<std::int64_t>(model.program.weights.size()));
  EXPECT_EQ(cost.peak_bytes, static_cast<std::int64_t>(model.program.memory_bytes()));
  EXPECT_EQ(cost.latency.us, table.predict(model.program, table.machine(target)).us);
  EXPECT_GT(cost.latency.us, 0);
}

}  // namespace
}  // namespace xgen::search
