#include "codegen/lower/interleave.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>

#include "codegen/latency/single_layer.h"
#include "core/ir/infer_shapes.h"
#include "tests/support/compiled_graph.h"

namespace xgen::lower {
namespace {

/// A 1x1 convolution of 6 channels to 42, a depthwise 3x3 one, and a 1x1 one back to 5.
struct Block {
  bool int8 = false;
  int stride = 1;
  Sparsity::Scheme scheme = Sparsity::Scheme::dense;
  bool read_twice = false;  ///< what lies between them is a result of the graph, too.
};

/// Gives every layer weights and a bias of its own, zero where its mask says so.
void randomize(ir::Graph& graph) {
  test::RandomTensors random(3);
  const auto set = [&](ir::ValueId id, ir::Constant constant) {
    graph.value(id).constant = std::make_shared<const ir::Constant>(std::move(constant));
  };
  for (const ir::Node& node : graph.nodes()) {
    const ir::Value& weight = graph.value(node.inputs[1]);
    const ir::Extents e = weight.constant->shape;
    const bool int8 = weight.constant->dtype == ir::DType::i8;
    ir::Constant values = int8 ? random.integers<std::int8_t>(e, -127, 127) : random.f32(e);
    if (weight.sparsity) {
      const auto extent = [&](std::size_t i) { return static_cast<int>(e[i]); };
      const auto kept = expand_mask(*weight.sparsity, {extent(0), extent(1), extent(2), extent(3)});
      const std::size_t size = ir::size_of(values.dtype);
      for (std::size_t i = 0; i < values.bytes.size(); ++i) {
        if (kept[i / size] == 0) values.bytes[i] = std::byte{0};
      }
    }
    set(node.inputs[1], std::move(values));
    set(node.inputs[2],
        int8 ? random.integers<std::int32_t>({e[0]}, -1000, 1000) : random.f32({e[0]}));
  }
}

ir::Graph graph_of(const Block& block) {
  using latency::add_layer;
  ir::Graph graph;
  graph.name = "block";
  const ir::ValueId x = graph.add_input(
      "x", {block.int8 ? ir::DType::u8 : ir::DType::f32, ir::Shape{1, 6, 12, 19}, {}});
  if (block.int8) graph.value(x).type.quant = ir::QuantParams{{0.02F}, {7}, -1};
  const auto layer = [&](const char* name, ir::ValueId from, LayerShape shape,
                         const LayerVariant& variant) {
    return add_layer(graph, name, shape, variant, ir::Activation::Kind::clip, from);
  };
  LayerVariant pruned;
  pruned.scheme = block.scheme;
  pruned.group_out = block.int8 ? 4 : 8;
  pruned.lane_channels = block.int8 ? 4 : 1;
  pruned.kept_blocks = 0.5;
  LayerShape depthwise = latency::square_layer(42, 42, 3, 12, block.int8);
  depthwise.groups = 42;
  depthwise.stride = block.stride;
  const ir::ValueId wide =
      layer("expand", x, latency::square_layer(6, 42, 1, 12, block.int8), pruned);
  const ir::ValueId deep = layer("depthwise", wide, depthwise, {});
  const ir::ValueId y = layer("project", deep, latency::square_layer(42, 5, 1, 12, block.int8), {});
  graph.set_outputs(block.read_twice ? std::vector{y, wide} : std::vector{y});
  randomize(graph);
  return ir::infer_shapes(std::move(graph));
}

Program check(const Block& block, std::size_t cache_bytes) {
  LowerOptions options;
  options.cache_bytes = cache_bytes;
  return test::expect_agreement(graph_of(block), 5, options);
}

int calls_of(const Program& program, const std::string& name) {
  return static_cast<int>(std::count_if(program.steps.begin(), program.steps.end(),
                                        [&](const Step& s) { return s.name == name; }));
}

std::int64_t macs_of(const Program& program) {
  std::int64_t sum = 0;
  for (const Step& step : program.steps) sum += step.macs;
  return sum;
}

class Interleave : public ::testing::TestWithParam<bool> {};

TEST_P(Interleave, ComputesPartsThatFitTheCacheWithTheSameResults) {
  for (const int stride : {1, 2}) {
    for (const auto scheme : {Sparsity::Scheme::dense, Sparsity::Scheme::block}) {
      const Block block{GetParam(), stride, scheme};
      const Program whole = check(block, 0), parts = check(block, GetParam() ? 8192 : 32768);
      EXPECT_EQ(calls_of(whole, "expand"), 1);
      EXPECT_EQ(calls_of(whole, "depthwise"), 1);
      EXPECT_GT(calls_of(parts, "expand"), 1);
      EXPECT_EQ(calls_of(parts, "depthwise"), calls_of(parts, "expand"));
      EXPECT_EQ(calls_of(parts, "project"), 1);
      EXPECT_EQ(macs_of(parts), macs_of(whole));
      EXPECT_LT(parts.arena_bytes, whole.arena_bytes);
    }
  }
}

TEST_P(Interleave, TakesAGroupOfFiltersAtLeast) {
  const Program parts = check({GetParam()}, 64);
  EXPECT_EQ(calls_of(parts, "expand"), 6);
}

TEST_P(Interleave, LeavesWhatFitsTheCacheOrHasOtherReaders) {
  EXPECT_EQ(calls_of(check({GetParam()}, 1 << 20), "expand"), 1);
  Block block{GetParam()};
  block.read_twice = true;
  EXPECT_EQ(calls_of(check(block, GetParam() ? 8192 : 32768), "expand"), 1);
}

INSTANTIATE_TEST_SUITE_P(, Interleave, ::testing::Bool(),
                         [](const auto& p) { return p.param ? "int8" : "fp32"; });

}  // namespace
}  // namespace xgen::lower
