#include "codegen/passes/pipeline.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "core/ir/infer_shapes.h"
#include "core/ir/verify.h"
#include "core/reference/evaluate.h"
#include "tests/support/random_graph.h"

namespace xgen::passes {
namespace {

using ir::ValueId;

ValueId batch_norm(ir::Graph& graph, const std::string& name, ValueId x, std::int64_t channels,
                   test::RandomTensors& random) {
  std::vector<ValueId> inputs{x};
  for (const char* part : {".scale", ".shift", ".mean", ".variance"})
    inputs.push_back(graph.add_constant(name + part, random.f32({channels}, 0.5F, 1.5F)));
  return graph.add_node(name, ir::BatchNorm{}, inputs);
}

// Three layers of Pad -> Conv -> BatchNorm -> Dropout -> Relu -> Add of what is computed from a
// constant: every pass but lower_quantization has work.
ir::Graph three_layers() {
  test::RandomTensors random(1);
  ir::Graph graph;
  graph.name = "net";
  ir::Unary exp;
  exp.kind = ir::Unary::Kind::exp;
  ValueId x = graph.add_input("x", {ir::DType::f32, ir::Shape{1, 4, 6, 6}, {}});
  for (int layer = 0; layer < 3; ++layer) {
    const std::string n = std::to_string(layer);
    const ValueId pads = graph.add_constant(
        "pads" + n, ir::Constant::of<std::int64_t>({8}, {0, 0, 1, 1, 0, 0, 1, 1}));
    x = graph.add_node("pad" + n, ir::Pad{}, {x, pads});
    x = graph.add_node("conv" + n, ir::Conv{},
                       {x, graph.add_constant("w" + n, random.f32({4, 4, 3, 3}))});
    x = batch_norm(graph, "bn" + n, x, 4, random);
    x = graph.add_node("drop" + n, ir::Dropout{}, {x});
    x = graph.add_node("relu" + n, ir::Unary{}, {x});
    const ValueId log = graph.add_constant("log" + n, random.f32({1, 4, 1, 1}));
    x = graph.add_node("add" + n, ir::Binary{}, {x, graph.add_node("exp" + n, exp, {log})});
  }
  const ValueId flat = graph.add_node("flat", ir::Flatten{}, {x});
  const ValueId y =
      graph.add_node("y", ir::Gemm{}, {flat, graph.add_constant("wy", random.f32({144, 10}))});
  graph.set_outputs({y});
  return graph;
}

int count(const ir::Graph& graph, const std::string& op) {
  return static_cast<int>(
      std::count_if(graph.nodes().begin(), graph.nodes().end(),
                    [&](const ir::Node& n) { return ir::op_name(n.op) == op; }));
}

ir::Graph run_with(const PipelineOptions& options) { return run_pipeline(three_layers(), options); }

TEST(Pipeline, LeavesAConvolutionAndAnAdditionALayer) {
  std::vector<PassRecord> records;
  const ir::Graph graph = run_pipeline(three_layers(), {}, &records);
  std::vector<std::string> ops;
  for (const ir::Node& n : graph.nodes()) ops.push_back(ir::op_name(n.op));
  EXPECT_THAT(
      ops, ::testing::ElementsAre("Conv", "Add", "Conv", "Add", "Conv", "Add", "Conv", "Flatten"));
  std::vector<std::string> names;
  for (const PassRecord& r : records) names.push_back(r.name);
  EXPECT_EQ(names, pass_names());
  for (std::size_t i = 1; i < records.size(); ++i)
    EXPECT_EQ(records[i].nodes_before, records[i - 1].nodes_after) << records[i].name;
}

struct Stop {
  const char* pass;
  const char* op;  // what is left where the pass did not run
  friend std::ostream& operator<<(std::ostream& out, const Stop& s) { return out << s.pass; }
};
class EveryPass : public ::testing::TestWithParam<Stop> {};

TEST_P(EveryPass, CanBeDisabledByName) {
  PipelineOptions options;
  options.disabled = {GetParam().pass};
  EXPECT_GT(count(run_with(options), GetParam().op), count(run_with({}), GetParam().op));
}

TEST_P(EveryPass, StopsAfterAsManyPatchesAsAsked) {
  const auto left = [&](int patches) {
    PipelineOptions options;
    options.max_patches[GetParam().pass] = patches;
    return count(run_with(options), GetParam().op);
  };
  PipelineOptions disabled;
  disabled.disabled = {GetParam().pass};
  EXPECT_EQ(left(0), count(run_with(disabled), GetParam().op));
  EXPECT_EQ(left(1), left(0) - 1);
  EXPECT_EQ(left(100), count(run_with({}), GetParam().op));
}

TEST_P(EveryPass, KeepsWhatTheModelComputesWhereverItStops) {
  test::RandomTensors random(2);
  const ir::Constant x = random.f32({1, 4, 6, 6});
  const ir::Constant want = reference::evaluate(ir::infer_shapes(three_layers()), {x})[0];
  for (const int patches : {0, 1, 2}) {
    PipelineOptions options;
    options.max_patches[GetParam().pass] = patches;
    const ir::Graph graph = run_with(options);
    EXPECT_NO_THROW(ir::verify(graph, "test"));
    const ir::Constant got = reference::evaluate(graph, {x})[0];
    ASSERT_EQ(got.shape, want.shape);
    for (std::size_t i = 0; i < 10; ++i)
      EXPECT_NEAR(got.as<float>()[i], want.as<float>()[i], 1e-3) << patches << " patches, " << i;
  }
}

INSTANTIATE_TEST_SUITE_P(, EveryPass,
                         ::testing::Values(Stop{"fold_constants", "Exp"},
                                           Stop{"simplify", "Dropout"}, Stop{"fold_pad", "Pad"},
                                           Stop{"to_conv", "Gemm"}, Stop{"fuse_epilogue", "Relu"}),
                         [](const auto& stop) { return stop.param.pass; });

TEST(Pipeline, FoldsAsManyBatchNormsAsAsked) {
  // to_conv takes the others: a batch norm is a depthwise convolution as well.
  for (const int patches : {0, 1, 3}) {
    PipelineOptions options;
    options.max_patches["fold_batch_norm"] = patches;
    options.disabled = {"to_conv"};
    EXPECT_EQ(count(run_with(options), "BatchNormalization"), 3 - patches);
  }
}

TEST(Pipeline, SaysThatQuantizationIsLoweredAsAWhole) {
  PipelineOptions options;
  options.max_patches["lower_quantization"] = 1;
  try {
    run_with(options);
    ADD_FAILURE() << "no error";
  } catch (const UserError& error) {
    EXPECT_STREQ(error.what(),
                 "pass \"lower_quantization\" rewrites the whole graph at once and cannot stop "
                 "after 1 patches; disable it, or let it run");
  }
}

TEST(Pipeline, NamesThePassesWhenOneIsUnknown) {
  const std::string want =
      "unknown pass \"fold_batchnorm\"; passes: fold_constants, simplify, fold_pad, "
      "fold_batch_norm, lower_quantization, to_conv, crop_taps, hoist_stride, "
      "fuse_epilogue";
  for (const bool disable : {true, false}) {
    PipelineOptions options;
    if (disable)
      options.disabled = {"fold_batchnorm"};
    else
      options.max_patches["fold_batchnorm"] = 1;
    try {
      run_with(options);
      ADD_FAILURE() << "no error";
    } catch (const UserError& error) {
      EXPECT_EQ(error.what(), want);
    }
  }
}

}  // namespace
}  // namespace xgen::passes
