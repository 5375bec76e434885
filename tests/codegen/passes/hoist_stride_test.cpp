#include "codegen/passes/hoist_stride.h"

#include <gtest/gtest.h>

#include "core/ir/infer_shapes.h"
#include "core/reference/evaluate.h"
#include "tests/support/random_graph.h"

namespace xgen::passes {
namespace {

/// x [1, 3, size, size] -> a convolution of 4 filters, before and after.
struct Both {
  ir::Graph before, after;
};

Both hoisted(std::int64_t size, std::int64_t kernel, std::int64_t stride, std::int64_t pad = 0) {
  test::RandomTensors random(5);
  ir::Graph graph;
  const ir::ValueId x = graph.add_input("x", {ir::DType::f32, ir::Shape{1, 3, size, size}, {}});
  ir::Conv conv;
  conv.strides = {stride, stride};
  conv.pads = {pad, pad, pad, pad};
  const ir::ValueId w = graph.add_constant("w", random.f32({4, 3, kernel, kernel}));
  graph.set_outputs({graph.add_node("y", conv, {x, w, graph.add_constant("b", random.f32({4}))})});
  graph = ir::infer_shapes(std::move(graph));
  return {graph, ir::infer_shapes(hoist_stride(graph))};
}

void expect_equal_results(const Both& graphs) {
  const ir::Constant x =
      test::RandomTensors(2).f32(ir::extents(*graphs.before.value(0).type.shape));
  const ir::Constant want = reference::evaluate(graphs.before, {x})[0];
  const ir::Constant got = reference::evaluate(graphs.after, {x})[0];
  EXPECT_EQ(got.shape, want.shape);
  EXPECT_TRUE(got.bytes == want.bytes);
}

TEST(HoistStride, SlicesWhatAStridedPointwiseConvolutionReads) {
  for (const std::int64_t size : {5, 8, 9}) {
    for (const std::int64_t stride : {2, 3}) {
      const Both graphs = hoisted(size, 1, stride);
      ASSERT_EQ(graphs.after.nodes().size(), 2U);
      EXPECT_NE(graphs.after.nodes()[0].as<ir::Slice>(), nullptr);
      const ir::Node* conv = graphs.after.find_node("y");
      ASSERT_NE(conv, nullptr);
      EXPECT_EQ(conv->as<ir::Conv>()->strides, (std::array<std::int64_t, 2>{1, 1}));
      expect_equal_results(graphs);
    }
  }
}

TEST(HoistStride, LeavesWhatReadsMoreThanThePositionsOfItsStride) {
  EXPECT_EQ(hoisted(8, 1, 1).after.nodes().size(), 1U);
  EXPECT_EQ(hoisted(8, 3, 2).after.nodes().size(), 1U);
  EXPECT_EQ(hoisted(8, 1, 2, 1).after.nodes().size(), 1U);
}

TEST(HoistStride, LeavesAResultOfOnePosition) {
  EXPECT_EQ(hoisted(2, 1, 2).after.nodes().size(), 1U);
}

}  // namespace
}  // namespace xgen::passes
