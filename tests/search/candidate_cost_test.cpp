#include "search/candidate_cost.h"

#include <gtest/gtest.h>

#include "codegen/compile.h"
#include "codegen/targets.h"
#include "core/ir/infer_shapes.h"
#include "core/ir/rewrite/fold_batch_norm.h"
#include "quantize/qdq.h"
#include "search/compression.h"
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

// Pruned and quantized by its own weights, all of them looked at.
ir::Graph compressed(const ir::Graph& network, const Compression& compression, const Point& point) {
  ir::Graph graph = ir::fold_batch_norm(network);
  const ir::Graph masked = compression.deployed(network, point);
  for (std::size_t i = 0; i < graph.values().size(); ++i) {
    ir::Value& value = graph.value(static_cast<ir::ValueId>(i));
    const ir::ValueId same = masked.find(value.name);
    if (same != ir::kNoValue) value.sparsity = masked.value(same).sparsity;
    const ir::ValueId integers = masked.find(value.name + "/int8");
    if (integers != ir::kNoValue) value.sparsity = masked.value(integers).sparsity;
  }
  graph = ir::infer_shapes(graph);
  if (point[1] == 0) return graph;
  std::map<std::string, quantize::ActivationRange> ranges;
  for (const std::string& value : quantize::values_to_observe(graph)) ranges[value] = {-1, 1};
  return ir::infer_shapes(
      quantize::bake_weights(ir::infer_shapes(quantize::insert_qdq(graph, ranges))));
}

TEST(CostOf, IsThatOfTheNetworkPrunedAndQuantizedWithItsWeights) {
  const Target target = find_target("x86_64");
  const latency::LatencyTable table({"x86_64", "x86-avx512-vnni", "", ""}, {});
  CompressionConfig config;
  config.schemes = {"block"};
  config.rates = {1, 4};
  config.bits = {32, 8};
  // Channels whose weights do not end on cache lines.
  MacroSpace space;
  space.image_size = 16;
  space.stem_channels = 10;
  space.head_channels = 50;
  space.stages = {{22, 2, 2}, {35, 2, 2}};
  space.blocks = {"mb3_k3", "mb6_k5"};
  const ir::Graph network =
      ir::bind_dims(ir::infer_shapes(space.network({0, 1, 1, 0}, Random(1))), {{"N", 1}});
  const prune::PruneConfig base;
  const Compression compression(config, base, network, "s.json");
  CompileOptions options;
  options.target = target;
  for (const Point& point : {Point{0, 0}, Point{0, 1}, Point{1, 0}, Point{1, 1}}) {
    const Program whole = compile(compressed(network, compression, point), options).program;
    options.fill_weights = false;
    const Program counted = compile(compression.deployed(network, point), options).program;
    options.fill_weights = true;
    EXPECT_EQ(counted.weight_bytes(), whole.weights.size());
    EXPECT_LT(counted.weights.size(), whole.weights.size() / 2) << "weights are not stored";
    EXPECT_EQ(counted.memory_bytes(), whole.memory_bytes());
    ASSERT_EQ(counted.steps.size(), whole.steps.size());
    for (std::size_t i = 0; i < whole.steps.size(); ++i) {
      EXPECT_EQ(counted.steps[i].kernel, whole.steps[i].kernel);
      EXPECT_EQ(counted.steps[i].macs, whole.steps[i].macs);
      EXPECT_EQ(counted.steps[i].constant_bytes, whole.steps[i].constant_bytes);
    }
    const latency::Machine machine = table.machine(target);
    EXPECT_EQ(table.predict(counted, machine).us, table.predict(whole, machine).us);
  }
}

}  // namespace
}  // namespace xgen::search
