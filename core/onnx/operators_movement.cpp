#include <algorithm>
#include <numeric>

#include "core/onnx/node_importer.h"

/// Operators which move elements without computing.
namespace xgen::onnx_io {

void import_concat(NodeImporter& node) {
  node.emit(ir::Concat{node.required_integer("axis")}, node.all_inputs());
}

void import_slice(NodeImporter& node) {
  if (node.opset() >= 10) {
    node.emit(ir::Slice{},
              {node.required(0), node.required(1), node.required(2), node.input(3), node.input(4)});
    return;
  }
  const auto starts = node.integers("starts", {});
  const auto ends = node.integers("ends", {});
  std::vector<std::int64_t> axes(starts.size());
  std::iota(axes.begin(), axes.end(), 0);
  const ir::ValueId starts_id = node.integers_constant("starts", starts);
  const ir::ValueId ends_id = node.integers_constant("ends", ends);
  const ir::ValueId axes_id = node.integers_constant("axes", node.integers("axes", axes));
  node.emit(ir::Slice{}, {node.required(0), starts_id, ends_id, axes_id});
}

void import_split(NodeImporter& node) {
  const ir::Shape& x = node.shape(0);
  const auto rank = static_cast<std::int64_t>(x.size());
  std::int64_t axis = node.integer("axis", 0);
  if (axis < -rank || axis >= rank) node.fail("axis ", axis, " of ", rank);
  axis += axis < 0 ? rank : 0;
  const ir::Dim& extent = x[static_cast<std::size_t>(axis)];
  if (!extent.is_static()) node.fail("splits the unbound dimension ", extent.symbol);

  const auto parts = static_cast<std::int64_t>(node.output_count());
  // Without sizes parts are equal; the last one may be smaller (opset 18).
  const std::int64_t equal = (extent.size + parts - 1) / parts;
  std::vector<std::int64_t> sizes(static_cast<std::size_t>(parts), equal);
  sizes.back() = extent.size - equal * (parts - 1);
  if (node.opset() >= 13 && node.has_input(1))
    sizes = node.known_integers(1, "sizes");
  else if (node.opset() < 13)
    sizes = node.integers("split", sizes);
  const std::int64_t sum = std::accumulate(sizes.begin(), sizes.end(), std::int64_t{0});
  if (static_cast<std::int64_t>(sizes.size()) != parts || sum != extent.size ||
      *std::min_element(sizes.begin(), sizes.end()) < 0) {
    node.fail("splits ", extent.size, " into ", sizes.size(), " parts of ", sum, " for ", parts,
              " outputs");
  }
  const ir::ValueId axes = node.integers_constant("axes", {axis});
  std::int64_t start = 0;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    const std::string part = str("part_", i);
    const ir::ValueId from = node.integers_constant(part + ".start", {start});
    start += sizes[i];
    const ir::ValueId to = node.integers_constant(part + ".end", {start});
    node.emit_output(i, str(node.name(), ".", part), ir::Slice{},
                     {node.required(0), from, to, axes});
  }
}

void import_pad(NodeImporter& node) {
  const std::string mode = node.text("mode", "constant");
  if (mode != "constant") node.fail("mode \"", mode, "\" is not supported, only constant");
  if (node.opset() < 11) {
    const ir::ValueId pads = node.integers_constant("pads", node.integers("pads", {}));
    const ir::ValueId value = node.constant("value", ir::Constant::scalar(node.real("value", 0)));
    node.emit(ir::Pad{}, {node.required(0), pads, value});
    return;
  }
  ir::ValueId pads = node.required(1);
  if (node.has_input(3)) {
    const auto rank = static_cast<std::int64_t>(node.shape(0).size());
    const auto axes = node.known_integers(3, "axes");
    const auto given = node.known_integers(1, "pads");
    if (given.size() != 2 * axes.size())
      node.fail(given.size(), " pads for ", axes.size(), " axes");
    std::vector<std::int64_t> all(static_cast<std::size_t>(2 * rank), 0);
    for (std::size_t i = 0; i < axes.size(); ++i) {
      if (axes[i] < -rank || axes[i] >= rank) node.fail("axis ", axes[i], " of ", rank);
      const auto axis = static_cast<std::size_t>(axes[i] < 0 ? axes[i] + rank : axes[i]);
      all[axis] = given[i];
      all[static_cast<std::size_t>(rank) + axis] = given[axes.size() + i];
    }
    pads = node.integers_constant("pads", all);
  }
  node.emit(ir::Pad{}, {node.required(0), pads, node.input(2)});
}

void import_reshape(NodeImporter& node) {
  node.emit(ir::Reshape{node.integer("allowzero", 0) != 0}, {node.required(0), node.required(1)});
}

void import_flatten(NodeImporter& node) {
  node.emit(ir::Flatten{node.integer("axis", 1)}, {node.required(0)});
}

void import_transpose(NodeImporter& node) {
  const auto rank = static_cast<std::int64_t>(node.shape(0).size());
  std::vector<std::int64_t> reversed;
  for (std::int64_t i = rank - 1; i >= 0; --i) reversed.push_back(i);
  node.emit(ir::Transpose{node.integers("perm", reversed)}, {node.required(0)});
}

void import_unsqueeze(NodeImporter& node) {
  const ir::ValueId axes = node.opset() < 13
                               ? node.integers_constant("axes", node.integers("axes", {}))
                               : node.required(1);
  node.emit(ir::Unsqueeze{}, {node.required(0), axes});
}

void import_squeeze(NodeImporter& node) {
  ir::ValueId axes = ir::kNoValue;
  if (node.opset() >= 13)
    axes = node.input(1);
  else if (node.has_attribute("axes"))
    axes = node.integers_constant("axes", node.integers("axes", {}));
  node.emit(ir::Squeeze{}, {node.required(0), axes});
}

void import_gather(NodeImporter& node) {
  node.emit(ir::Gather{node.integer("axis", 0)}, {node.required(0), node.required(1)});
}

void import_shape(NodeImporter& node) {
  ir::ShapeOf op;
  op.start = node.integer("start", 0);
  op.end = node.integer("end", op.end);
  node.emit(op, {node.required(0)});
}

}  // namespace xgen::onnx_io
