#include "codegen/latency/reach.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "codegen/compile.h"
#include "codegen/latency/single_layer.h"
#include "codegen/latency/work.h"
#include "codegen/lower/lower.h"
#include "codegen/targets.h"
#include "core/ir/infer_shapes.h"
#include "tests/codegen/latency/count.h"

namespace xgen::latency {
namespace {

/// Three layers one after another; the second has by far the most weights.
Program three_layers() {
  ir::Graph graph;
  graph.name = "three";
  ir::ValueId x = graph.add_input("x", {ir::DType::f32, ir::Shape{1, 16, 14, 14}, {}});
  const int channels[] = {16, 16, 512, 16};
  for (int i = 0; i < 3; ++i)
    x = add_layer(graph, str("y", i), square_layer(channels[i], channels[i + 1], 3, 14, false), {},
                  ir::Activation::Kind::clip, x);
  graph.set_outputs({x});
  return lower::lower(ir::infer_shapes(std::move(graph)), lowering_for(find_target("x86_64")));
}

/// Of data that one step used last.
Distance since(const Reach& reach, std::size_t address) {
  const std::vector<Reach::Part> parts = reach.of(address);
  EXPECT_EQ(parts.size(), 1u);
  return parts.at(0).since;
}

int step_of(const Program& program, const std::string& name) {
  for (std::size_t i = 0; i < program.steps.size(); ++i) {
    if (program.steps[i].name == name) return static_cast<int>(i);
  }
  return -1;
}

TEST(ReachOf, WeightsAreReadAgainAfterAllThatARunTouches) {
  const Program program = three_layers();
  const std::vector<Reach> reach = reach_of(program);
  ASSERT_EQ(reach.size(), program.steps.size());
  const double all =
      static_cast<double>(program.weights.size() + 4 * program.table_count + program.arena_bytes) +
      2 * 4 * 16 * 14 * 14;  // input and output
  for (const Reach& r : reach) EXPECT_EQ(r.run.bytes, all);
  // The caller's tensors as well.
  EXPECT_EQ(since(reach.front(), XGEN_NONE).bytes, all);
}

TEST(ReachOf, WhatAStepReadsWasWrittenByTheOneBefore) {
  const Program program = three_layers();
  const std::vector<Reach> reach = reach_of(program);
  const int second = step_of(program, "y1");
  ASSERT_GT(second, 0);
  const Step &before = program.steps[static_cast<std::size_t>(second - 1)],
             &step = program.steps[static_cast<std::size_t>(second)];
  // 16 * 512 * 9 fp32 weights, and their list.
  EXPECT_GT(step.constant_bytes, 4 * 16 * 512 * 9);
  EXPECT_LT(step.constant_bytes, 5 * 16 * 512 * 9);
  // Half of what either touches, and their common buffer once.
  double touched = static_cast<double>(before.constant_bytes + step.constant_bytes);
  for (const Step* s : {&before, &step}) {
    for (const int b : s->buffers)
      touched += static_cast<double>(program.buffers[static_cast<std::size_t>(b)].bytes);
  }
  const std::size_t x = std::get<xgen_conv>(step.args).x;
  EXPECT_EQ(since(reach[static_cast<std::size_t>(second)], x).bytes, touched / 2);
}

TEST(ReachOf, WhatIsTouchedTwiceBetweenTwoUsesCountsOnce) {
  Program program;
  program.buffers = {{0, 1000}, {1000, 500}, {1500, 500}};
  program.arena_bytes = 2000;
  for (const int used : {0, 1, 1, 2, 0}) program.steps.emplace_back().buffers = {used};
  const std::vector<Reach> reach = reach_of(program);
  EXPECT_EQ(since(reach[4], 0).bytes, 2000);
  EXPECT_EQ(since(reach[2], 1000).bytes, 500);
  EXPECT_EQ(since(reach[1], 1000).bytes, 2000);
  EXPECT_EQ(since(reach[0], 999).bytes, 1000);
}

TEST(ReachOf, PartsOfABufferMayHaveBeenUsedByDifferentSteps) {
  Program program;
  program.buffers = {{0, 1000}, {0, 250}, {1000, 500}};
  program.arena_bytes = 1500;
  for (const int used : {0, 2, 1, 0}) program.steps.emplace_back().buffers = {used};
  const std::vector<Reach::Part> parts = reach_of(program)[3].of(0);
  ASSERT_EQ(parts.size(), 2u);
  // The second use of the first quarter; half of the others and what lies between.
  EXPECT_EQ(parts[0].share, 0.25);
  EXPECT_EQ(parts[0].since.bytes, (250 + 1000) / 2.0);
  EXPECT_EQ(parts[1].share, 0.75);
  EXPECT_EQ(parts[1].since.bytes, 500 + 1000);
}

TEST(ReachOf, SaysHowLongAgoDataWereUsed) {
  const Program program = three_layers();
  std::vector<double> step_us(program.steps.size(), 1);
  const int second = step_of(program, "y1");
  step_us.at(static_cast<std::size_t>(second)) = 10;
  const std::vector<Reach> reach = reach_of(program, step_us);
  // Half of the two steps, and a whole run.
  const std::size_t x = std::get<xgen_conv>(program.steps[static_cast<std::size_t>(second)].args).x;
  EXPECT_EQ(since(reach[static_cast<std::size_t>(second)], x).us, (1 + 10) / 2.0);
  EXPECT_EQ(reach.front().run.us, static_cast<double>(program.steps.size() - 1) + 10);
}

TEST(WorksOf, CountFromMemoryWhatOtherCoresHavePushedOutMeanwhile) {
  const Program program = three_layers();
  Machine machine = machine_of(find_target("x86_64"), "x86-avx512-vnni");
  machine.caches = {32768, 262144, 8388608, 1000};
  const auto step = static_cast<std::size_t>(step_of(program, "y0"));
  const auto memory_lines = [&](double us) {
    const std::vector<double> step_us(program.steps.size(), us);
    return count_of(works_of(program, machine, step_us)[step], "weight_memory_lines");
  };
  EXPECT_EQ(memory_lines(1), 0);
  EXPECT_EQ(memory_lines(1000), 16 * 16 * 9 * 4 / 64);
  machine.caches.l3_turnover_us = 0;
  EXPECT_EQ(memory_lines(1000), 0);
}

TEST(WorksOf, CountWeightsFromFartherAwayThanALayerThatIsRepeated) {
  const Program program = three_layers();
  Machine machine = machine_of(find_target("x86_64"), "x86-avx512-vnni");
  // A run does not fit into the second level, the first layer alone does.
  machine.caches = {32768, 262144, 8388608, 0};
  const auto step = static_cast<std::size_t>(step_of(program, "y0"));
  EXPECT_EQ(count_of(work_of(program, program.steps[step], machine), "weight_l3_lines"), 0);
  // 16 * 16 * 9 fp32 weights once.
  EXPECT_EQ(count_of(works_of(program, machine)[step], "weight_l3_lines"), 16 * 16 * 9 * 4 / 64);
}

}  // namespace
}  // namespace xgen::latency
