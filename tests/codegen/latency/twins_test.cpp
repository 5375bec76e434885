#include "codegen/latency/twins.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "codegen/compile.h"
#include "codegen/targets.h"
#include "tests/support/random_graph.h"

namespace xgen::latency {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// A 1x1 convolution of 8 channels whose every second block is pruned.
ir::ValueId pruned_conv(ir::Graph& graph, const std::string& name, ir::ValueId x) {
  ir::Constant weight = test::RandomTensors(1).f32({8, 8, 1, 1});
  Sparsity mask;
  mask.scheme = Sparsity::Scheme::block;
  mask.group_out = 4;
  mask.lane_channels = 1;
  mask.patterns = PatternSet{{{1}}};
  for (int block = 0; block < 2 * 8; ++block) mask.kept.push_back(block % 2 == 0 ? 0 : -1);
  const auto kept = expand_mask(mask, {8, 8, 1, 1});
  for (std::size_t i = 0; i < kept.size(); ++i) {
    if (kept[i] == 0) weight.as_mutable<float>()[i] = 0;
  }
  const ir::ValueId w = graph.add_constant(name + "_w", std::move(weight));
  graph.value(w).sparsity = mask;
  return graph.add_node(name, ir::Conv{}, {x, w});
}

// Two pruned layers and a dense one.
CompiledModel compiled() {
  ir::Graph graph;
  graph.name = "net";
  const ir::ValueId x = graph.add_input("x", {ir::DType::f32, ir::Shape{1, 8, 20, 20}, {}});
  const ir::ValueId second = pruned_conv(graph, "second", pruned_conv(graph, "first", x));
  const ir::ValueId w = graph.add_constant("last_w", test::RandomTensors(2).f32({8, 8, 1, 1}));
  graph.set_outputs({graph.add_node("last", ir::Conv{}, {second, w})});
  CompileOptions options;
  options.target = find_target("host");
  return compile(graph, options);
}

std::map<std::string, std::string> schemes(const Program& program) {
  std::map<std::string, std::string> schemes;
  for (const Step& step : program.steps) {
    if (step.op == "Conv") schemes[step.name] = step.scheme;
  }
  return schemes;
}

TEST(Twins, APrunedLayerThatIsNotFasterLoses) {
  const CompiledModel model = compiled();
  EXPECT_THAT(losers(model.program, {{"first", {1, 2}}, {"second", {1, 3}}}), IsEmpty());
  EXPECT_THAT(losers(model.program, {{"first", {3, 2}}, {"second", {1, 3}}}), ElementsAre("first"));
  EXPECT_THAT(losers(model.program, {{"first", {1, 2}}, {"second", {3, 3}}}),
              ElementsAre("second"));
}

TEST(Twins, ALayerThatIsDenseOrWasNotTimedDoesNotLose) {
  EXPECT_THAT(losers(compiled().program, {{"last", {3, 2}}, {"first", {1, 2}}}), IsEmpty());
}

TEST(Twins, LosersAreLoweredDenseAndOthersStayPruned) {
  const CompiledModel model = compiled();
  const std::set<std::string> lost = losers(model.program, {{"first", {3, 2}}, {"second", {1, 3}}});
  const Program settled = lower_dense(model, &lost);
  EXPECT_EQ(schemes(model.program),
            (std::map<std::string, std::string>{
                {"first", "block"}, {"last", "dense"}, {"second", "block"}}));
  EXPECT_EQ(schemes(settled), (std::map<std::string, std::string>{
                                  {"first", "dense"}, {"last", "dense"}, {"second", "block"}}));
}

TEST(Twins, EveryConvolutionIsTimed) {
  const CompiledModel model = compiled();
  const Program dense_program = lower_dense(model, nullptr);
  TimedModel compressed(model.program), dense(dense_program);
  const LayerTwinTimes times = time_twins({model.program, compressed}, {dense_program, dense});
  ASSERT_EQ(times.size(), 3U);
  for (const auto& [node, layer] : times) {
    EXPECT_GT(layer.compressed_us, 0) << node;
    EXPECT_GT(layer.dense_us, 0) << node;
  }
}

}  // namespace
}  // namespace xgen::latency
