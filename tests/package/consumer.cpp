#include <cstdio>

#include "core/ir/graph.h"
#include "core/sparsity.h"

/// Builds a graph of one pruned convolution and prints what is left of its weights; fails when that
/// is not 4 of 9 taps in half of the lanes.
int main() {
  using namespace xgen;
  ir::Graph graph;
  const ir::ValueId x = graph.add_input("x", {ir::DType::f32, ir::Shape{1, 2, 8, 8}, {}});
  const ir::ValueId weight =
      graph.add_constant("weight", ir::Constant::of<float>({2, 2, 3, 3}, std::vector<float>(36)));
  graph.value(weight).sparsity =
      Sparsity{Sparsity::Scheme::pattern, 2, 1, {{Pattern{0b000'011'011}}}, {0, Sparsity::kNone}};
  graph.set_outputs({graph.add_node("conv", ir::Conv{}, {x, weight})});

  const double kept = density(*graph.value(weight).sparsity, {2, 2, 3, 3});
  std::printf("%zu node, %s keeps %.1f %% of its weights\n", graph.nodes().size(),
              ir::op_name(graph.nodes().front().op).c_str(), 100 * kept);
  return kept == 2.0 / 9 ? 0 : 1;
}
