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
