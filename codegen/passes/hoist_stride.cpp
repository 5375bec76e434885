#include "codegen/passes/hoist_stride.h"

#include <limits>

namespace xgen::passes {

namespace {

std::optional<ir::Patch> hoist(const ir::Graph& graph, const ir::UseMap&, const ir::Node& node) {
  const auto* conv = node.as<ir::Conv>();
  if (conv == nullptr || !graph.value(node.inputs[1]).type.shape) return std::nullopt;
  const ir::Shape& w = *graph.value(node.inputs[1]).type.shape;
  const ir::Value& x = graph.value(node.inputs[0]);
  const ir::Shape& y = *graph.value(node.output()).type.shape;
  if (w.size() != 4 || !reads_by_stride(*conv, w[2].size, w[3].size) || !y[2].is_static() ||
      !y[3].is_static() || y[2].size * y[3].size == 1)
    return std::nullopt;
  ir::Patch patch(graph);
  const auto integers = [&](const char* name, std::int64_t a, std::int64_t b) {
    return patch.constant(node.name + name, ir::Constant::of<std::int64_t>({2}, {a, b}));
  };
  constexpr std::int64_t kEnd = std::numeric_limits<std::int64_t>::max();
  ir::TensorType type = x.type;
  type.shape = ir::Shape{(*x.type.shape)[0], (*x.type.shape)[1], y[2], y[3]};
  const ir::ValueId read = patch.value(x.name + "_of_" + node.name, type);
  const std::vector<ir::ValueId> slice{node.inputs[0], integers("_starts", 0, 0),
                                       integers("_ends", kEnd, kEnd), integers("_axes", 2, 3),
                                       integers("_steps", conv->strides[0], conv->strides[1])};
  ir::Conv dense = *conv;
  dense.strides = {1, 1};
  std::vector<ir::ValueId> inputs = node.inputs;
  inputs[0] = read;
  patch.remove(node).add(node.name + "_positions", ir::Slice{}, slice, {read});
  return patch.add(node.name, dense, std::move(inputs), node.outputs);
}

}  // namespace

bool reads_by_stride(const ir::Conv& conv, std::int64_t kernel_h, std::int64_t kernel_w) {
  return kernel_h == 1 && kernel_w == 1 && (conv.strides[0] > 1 || conv.strides[1] > 1) &&
         conv.pads == std::array<std::int64_t, 4>{0, 0, 0, 0};
}

ir::Graph hoist_stride(ir::Graph graph, int max_patches) {
  return ir::rewrite(std::move(graph), "hoist_stride", hoist, max_patches);
}

}  // namespace xgen::passes
