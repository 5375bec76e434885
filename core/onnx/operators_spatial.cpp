#include <algorithm>
#include <cmath>

#include "core/onnx/node_importer.h"

/// Convolution, pooling, resizing, normalisation, matrix products.
namespace xgen::onnx_io {

namespace {

/// Window attributes that Conv and the pools share.
struct Window {
  std::array<std::int64_t, 2> strides{1, 1};
  std::array<std::int64_t, 2> dilations{1, 1};
  std::array<std::int64_t, 4> pads{0, 0, 0, 0};
};

std::array<std::int64_t, 2> pair_of(const NodeImporter& node, const std::string& key,
                                    std::int64_t fallback) {
  const auto values = node.integers(key, {fallback, fallback});
  if (values.size() != 2) node.fail("attribute \"", key, "\" must have 2 entries");
  return {values[0], values[1]};
}

void require_2d(const NodeImporter& node, std::size_t rank, const std::string& what) {
  if (rank == 4) return;
  node.fail("a ", rank - 2, "-dimensional ", what, " is not supported, only 2-dimensional ones");
}

Window read_window(const NodeImporter& node, const std::array<std::int64_t, 2>& kernel) {
  Window w;
  w.strides = pair_of(node, "strides", 1);
  w.dilations = pair_of(node, "dilations", 1);
  const std::string mode = node.text("auto_pad", "NOTSET");
  if (mode == "VALID") return w;
  if (mode == "NOTSET" || mode.empty()) {
    const auto pads = node.integers("pads", {0, 0, 0, 0});
    if (pads.size() != 4) node.fail("attribute \"pads\" must have 4 entries");
    std::copy(pads.begin(), pads.end(), w.pads.begin());
    return w;
  }
  if (mode != "SAME_UPPER" && mode != "SAME_LOWER") node.fail("auto_pad \"", mode, "\"");
  for (std::size_t i = 0; i < 2; ++i) {
    const ir::Dim& in = node.shape(0)[2 + i];
    if (!in.is_static())
      node.fail("auto_pad ", mode, " needs a fixed size, got ", to_string(node.shape(0)));
    if (w.strides[i] < 1) node.fail("stride ", w.strides[i]);
    const std::int64_t positions = (in.size + w.strides[i] - 1) / w.strides[i];
    const std::int64_t span = w.dilations[i] * (kernel[i] - 1) + 1;
    const std::int64_t total =
        std::max<std::int64_t>((positions - 1) * w.strides[i] + span - in.size, 0);
    const std::int64_t less = total / 2;
    w.pads[i] = mode == "SAME_UPPER" ? less : total - less;
    w.pads[2 + i] = total - w.pads[i];
  }
  return w;
}

template <class PoolOp>
PoolOp read_pool(const NodeImporter& node) {
  require_2d(node, node.shape(0).size(), "pooling");
  PoolOp op;
  if (!node.has_attribute("kernel_shape")) node.fail("attribute \"kernel_shape\" is missing");
  op.kernel = pair_of(node, "kernel_shape", 1);
  const Window w = read_window(node, op.kernel);
  op.strides = w.strides;
  op.dilations = w.dilations;
  op.pads = w.pads;
  op.ceil_mode = node.integer("ceil_mode", 0) != 0;
  return op;
}

}  // namespace

void import_conv(NodeImporter& node) {
  require_2d(node, node.shape(1).size(), "convolution");
  require_2d(node, node.shape(0).size(), "convolution");
  const ir::Shape& weight = node.shape(1);
  if (!is_static(weight)) node.fail("the weight's shape ", to_string(weight), " is not fixed");
  const std::array<std::int64_t, 2> kernel{weight[2].size, weight[3].size};
  if (node.has_attribute("kernel_shape") && pair_of(node, "kernel_shape", 1) != kernel)
    node.fail("kernel_shape does not fit the weight ", to_string(weight));
  const Window w = read_window(node, kernel);
  ir::Conv op;
  op.strides = w.strides;
  op.dilations = w.dilations;
  op.pads = w.pads;
  op.groups = node.integer("group", 1);
  node.emit(op, {node.required(0), node.required(1), node.input(2)});
}

void import_max_pool(NodeImporter& node) {
  const auto op = read_pool<ir::MaxPool>(node);
  node.emit(op, {node.required(0)});
}

void import_average_pool(NodeImporter& node) {
  auto op = read_pool<ir::AveragePool>(node);
  op.count_include_pad = node.integer("count_include_pad", 0) != 0;
  node.emit(op, {node.required(0)});
}

void import_global_average_pool(NodeImporter& node) {
  require_2d(node, node.shape(0).size(), "pooling");
  node.emit(ir::GlobalAveragePool{}, {node.required(0)});
}

void import_batch_norm(NodeImporter& node) {
  if (node.integer("training_mode", 0) != 0)
    node.fail("training_mode 1 is not supported; export the model for inference");
  if (node.integer("spatial", 1) != 1) node.fail("spatial 0 is not supported");
  ir::BatchNorm op;
  op.epsilon = node.real("epsilon", 1e-5F);
  op.momentum = node.real("momentum", 0.9F);
  node.emit(op, {node.required(0), node.required(1), node.required(2), node.required(3),
                 node.required(4)});
}

void import_gemm(NodeImporter& node) {
  ir::Gemm op;
  op.alpha = node.real("alpha", 1);
  op.beta = node.real("beta", 1);
  op.trans_a = node.integer("transA", 0) != 0;
  op.trans_b = node.integer("transB", 0) != 0;
  node.emit(op, {node.required(0), node.required(1), node.input(2)});
}

void import_mat_mul(NodeImporter& node) {
  node.emit(ir::MatMul{}, {node.required(0), node.required(1)});
}

namespace {

void check_linear(const NodeImporter& node, const ir::Resize& op) {
  if (op.mode == ir::Resize::Mode::linear && node.shape(0).size() != 4)
    node.fail("linear resizing of ", to_string(node.shape(0)), "; expected [n, c, h, w]");
}

ir::Resize::Coordinates read_coordinates(const NodeImporter& node) {
  using C = ir::Resize::Coordinates;
  const std::string name = node.text("coordinate_transformation_mode", "half_pixel");
  if (name == "half_pixel") return C::half_pixel;
  if (name == "pytorch_half_pixel") return C::pytorch_half_pixel;
  if (name == "align_corners") return C::align_corners;
  if (name == "asymmetric") return C::asymmetric;
  node.fail("coordinate_transformation_mode \"", name, "\" is not supported");
}

ir::Resize::Nearest read_nearest(const NodeImporter& node) {
  using N = ir::Resize::Nearest;
  const std::string name = node.text("nearest_mode", "round_prefer_floor");
  if (name == "round_prefer_floor") return N::round_prefer_floor;
  if (name == "round_prefer_ceil") return N::round_prefer_ceil;
  if (name == "floor") return N::floor;
  if (name == "ceil") return N::ceil;
  node.fail("nearest_mode \"", name, "\" is not supported");
}

ir::Resize::Mode read_mode(const NodeImporter& node) {
  const std::string name = node.text("mode", "nearest");
  if (name == "nearest") return ir::Resize::Mode::nearest;
  // "bilinear" is how some exporters of opset 9 write it.
  if (name == "linear" || name == "bilinear") return ir::Resize::Mode::linear;
  node.fail("mode \"", name, "\" is not supported, only nearest and linear");
}

/// Before opset 11 positions were x / scale, rounded down.
void import_old_resize(NodeImporter& node, ir::ValueId scales) {
  ir::Resize op;
  op.mode = read_mode(node);
  op.coordinates = ir::Resize::Coordinates::asymmetric;
  op.nearest = ir::Resize::Nearest::floor;
  check_linear(node, op);
  node.emit(op, {node.required(0), ir::kNoValue, scales});
}

}  // namespace

void import_upsample(NodeImporter& node) {
  if (node.opset() >= 10) node.fail("Upsample ended with opset 9");
  if (node.has_attribute("scales")) {
    const auto scales = node.reals("scales");
    import_old_resize(
        node, node.constant("scales", ir::Constant::of<float>(
                                          {static_cast<std::int64_t>(scales.size())}, scales)));
    return;
  }
  import_old_resize(node, node.required(1));
}

void import_resize(NodeImporter& node) {
  if (node.opset() < 11) {
    import_old_resize(node, node.required(1));
    return;
  }
  if (node.integer("antialias", 0) != 0) node.fail("antialias 1 is not supported");
  if (node.has_attribute("axes")) node.fail("attribute \"axes\" is not supported");
  if (node.text("keep_aspect_ratio_policy", "stretch") != "stretch")
    node.fail("keep_aspect_ratio_policy is not supported");
  ir::Resize op;
  op.mode = read_mode(node);
  op.coordinates = read_coordinates(node);
  op.nearest = read_nearest(node);
  check_linear(node, op);
  const auto given = [&](std::size_t i) {
    // An empty tensor means "absent", which opset 11 could not say otherwise.
    const ir::ValueId id = node.input(i);
    return id != ir::kNoValue && *node.known(id).type.shape != ir::Shape{std::int64_t{0}}
               ? id
               : ir::kNoValue;
  };
  const ir::ValueId sizes = given(3);
  node.emit(
      op, {node.required(0), ir::kNoValue, sizes == ir::kNoValue ? given(2) : ir::kNoValue, sizes});
}

}  // namespace xgen::onnx_io
