#include "core/onnx/export.h"

#include <algorithm>
#include <set>

#include "core/atomic_file.h"
#include "core/onnx/sparsity_json.h"
#include "core/onnx/tensor_proto.h"
#include "core/sha256.h"

namespace xgen {

namespace {

using ir::ValueId;

/// Opset 13 has per-channel quantization; a few forms came later.
int required_opset(const ir::Graph& graph) {
  int opset = 13;
  for (const ir::Node& node : graph.nodes()) {
    if (const auto* op = node.as<ir::Reshape>(); op != nullptr && op->allow_zero)
      opset = std::max(opset, 14);
    if (const auto* op = node.as<ir::ShapeOf>()) {
      const ir::ShapeOf whole;
      if (op->start != whole.start || op->end != whole.end) opset = std::max(opset, 15);
    }
    const auto* pool = node.as<ir::AveragePool>();
    if (pool != nullptr && pool->dilations != std::array<std::int64_t, 2>{1, 1})
      opset = std::max(opset, 19);
  }
  return opset;
}

class Exporter {
 public:
  Exporter(const ir::Graph& graph, int opset) : graph_(graph), opset_(opset) {}

  onnx::ModelProto run(const std::map<std::string, std::string>& metadata) {
    model_.set_ir_version(opset_ >= 15 ? 8 : 7);
    model_.set_producer_name("xgen");
    model_.add_opset_import()->set_version(opset_);
    proto_ = model_.mutable_graph();
    proto_->set_name(graph_.name);
    for (const ValueId id : graph_.inputs()) write_info(id, *proto_->add_input());
    for (const ir::Node& node : graph_.nodes()) {
      node_ = &node;
      std::visit([this](const auto& op) { write(op); }, node.op);
    }
    for (const ValueId id : graph_.outputs()) {
      write_info(id, *proto_->add_output());
      if (graph_.is_constant(id)) used_.insert(id);
    }
    nlohmann::json masks = nlohmann::json::object();
    for (const ValueId id : used_) {
      const ir::Value& v = graph_.value(id);
      *proto_->add_initializer() = onnx_io::to_tensor_proto(*v.constant, v.name);
      if (v.sparsity) masks[v.name] = to_json(*v.sparsity);
    }
    for (const auto& [key, value] : metadata) add_metadata(key, value);
    if (!masks.empty()) add_metadata("xgen.sparsity", masks.dump());
    return std::move(model_);
  }

 private:
  void add_metadata(const std::string& key, const std::string& value) {
    auto* entry = model_.add_metadata_props();
    entry->set_key(key);
    entry->set_value(value);
  }

  void write_info(ValueId id, onnx::ValueInfoProto& info) {
    const ir::Value& v = graph_.value(id);
    XGEN_CHECK(v.type.shape, "value \"", v.name, "\" has no shape");
    info.set_name(v.name);
    auto* type = info.mutable_type()->mutable_tensor_type();
    type->set_elem_type(onnx_io::to_onnx_type(v.type.dtype));
    type->mutable_shape();
    for (const ir::Dim& dim : *v.type.shape) {
      auto* d = type->mutable_shape()->add_dim();
      if (dim.is_static())
        d->set_dim_value(dim.size);
      else
        d->set_dim_param(dim.symbol);
    }
  }

  const std::string& name_of_value(ValueId id) {
    static const std::string kAbsent;
    if (id == ir::kNoValue) return kAbsent;
    if (graph_.is_constant(id)) used_.insert(id);
    return graph_.value(id).name;
  }

  const std::string& output_name() const { return graph_.value(node_->output()).name; }

  onnx::NodeProto& begin(const std::string& op_type, const std::string& name,
                         const std::vector<std::string>& inputs, const std::string& output) {
    onnx::NodeProto& proto = *proto_->add_node();
    proto.set_op_type(op_type);
    proto.set_name(name);
    for (const std::string& in : inputs) proto.add_input(in);
    proto.add_output(output);
    return proto;
  }

  /// This node with the first `count` of its inputs.
  onnx::NodeProto& begin(const std::string& op_type, std::size_t count = SIZE_MAX) {
    std::vector<std::string> inputs;
    for (std::size_t i = 0; i < std::min(count, node_->inputs.size()); ++i)
      inputs.push_back(name_of_value(node_->inputs[i]));
    while (!inputs.empty() && inputs.back().empty()) inputs.pop_back();
    return begin(op_type, node_->name, inputs, output_name());
  }

  static void set(onnx::NodeProto& proto, const char* key, std::int64_t value) {
    auto* a = proto.add_attribute();
    a->set_name(key);
    a->set_type(onnx::AttributeProto::INT);
    a->set_i(value);
  }
  static void set(onnx::NodeProto& proto, const char* key, float value) {
    auto* a = proto.add_attribute();
    a->set_name(key);
    a->set_type(onnx::AttributeProto::FLOAT);
    a->set_f(value);
  }
  static void set(onnx::NodeProto& proto, const char* key, const char* value) {
    auto* a = proto.add_attribute();
    a->set_name(key);
    a->set_type(onnx::AttributeProto::STRING);
    a->set_s(value);
  }
  template <class List>
  requires requires(const List& list) { list.begin(); }
  static void set(onnx::NodeProto& proto, const char* key, const List& values) {
    auto* a = proto.add_attribute();
    a->set_name(key);
    a->set_type(onnx::AttributeProto::INTS);
    for (const std::int64_t v : values) a->add_ints(v);
  }

  /// A constant that exists in the file only.
  std::string scalar(const std::string& suffix, const ir::Constant& value) {
    const std::string name = graph_.unique_value_name(str(node_->name, ".", suffix));
    *proto_->add_initializer() = onnx_io::to_tensor_proto(value, name);
    return name;
  }

  void write(const ir::Conv& op) {
    XGEN_CHECK(op.epilogue == ir::Epilogue{}, "node \"", node_->name,
               "\": a fused convolution cannot be exported");
    auto& proto = begin("Conv");
    const ir::Shape& w = *graph_.value(node_->inputs[1]).type.shape;
    set(proto, "kernel_shape", std::array{w[2].size, w[3].size});
    set(proto, "strides", op.strides);
    set(proto, "dilations", op.dilations);
    set(proto, "pads", op.pads);
    set(proto, "group", op.groups);
  }

  onnx::NodeProto& write_pool(const char* op_type, const ir::Pool& op) {
    auto& proto = begin(op_type);
    set(proto, "kernel_shape", op.kernel);
    set(proto, "strides", op.strides);
    if (op.dilations != std::array<std::int64_t, 2>{1, 1}) set(proto, "dilations", op.dilations);
    set(proto, "pads", op.pads);
    set(proto, "ceil_mode", std::int64_t{op.ceil_mode});
    return proto;
  }
  void write(const ir::MaxPool& op) { write_pool("MaxPool", op); }
  void write(const ir::AveragePool& op) {
    set(write_pool("AveragePool", op), "count_include_pad", std::int64_t{op.count_include_pad});
  }
  void write(const ir::GlobalAveragePool&) { begin("GlobalAveragePool"); }

  void write(const ir::BatchNorm& op) {
    auto& proto = begin("BatchNormalization");
    set(proto, "epsilon", op.epsilon);
    set(proto, "momentum", op.momentum);
  }
  void write(const ir::Gemm& op) {
    auto& proto = begin("Gemm");
    set(proto, "alpha", op.alpha);
    set(proto, "beta", op.beta);
    set(proto, "transA", std::int64_t{op.trans_a});
    set(proto, "transB", std::int64_t{op.trans_b});
  }
  void write(const ir::MatMul&) { begin("MatMul"); }

  /// x * f(x), which newer opsets have as one operator.
  void write_gated(const char* gate, float alpha, float beta) {
    const std::string x = name_of_value(node_->inputs[0]);
    const std::string gated = graph_.unique_value_name(str(node_->name, ".gate"));
    auto& proto = begin(gate, gated, {x}, gated);
    if (std::string(gate) == "HardSigmoid") {
      set(proto, "alpha", alpha);
      set(proto, "beta", beta);
    }
    begin("Mul", node_->name, {x, gated}, output_name());
  }

  void write(const ir::Unary& op) {
    switch (op.kind) {
      case ir::Unary::Kind::silu:
        write_gated("Sigmoid", 0, 0);
        return;
      case ir::Unary::Kind::hard_swish:
        write_gated("HardSigmoid", 1.0F / 6.0F, 0.5F);
        return;
      case ir::Unary::Kind::clip: {
        const ir::Unary open;
        const std::string x = name_of_value(node_->inputs[0]);
        std::vector<std::string> inputs{x};
        inputs.push_back(op.low == open.low ? "" : scalar("min", ir::Constant::scalar(op.low)));
        if (op.high != open.high) inputs.push_back(scalar("max", ir::Constant::scalar(op.high)));
        while (inputs.back().empty()) inputs.pop_back();
        begin("Clip", node_->name, inputs, output_name());
        return;
      }
      case ir::Unary::Kind::leaky_relu:
        set(begin("LeakyRelu"), "alpha", op.alpha);
        return;
      case ir::Unary::Kind::hard_sigmoid: {
        auto& proto = begin("HardSigmoid");
        set(proto, "alpha", op.alpha);
        set(proto, "beta", op.beta);
        return;
      }
      default:
        begin(ir::op_name(op));
    }
  }
  void write(const ir::Binary& op) { begin(ir::op_name(op)); }

  void write(const ir::Concat& op) { set(begin("Concat"), "axis", op.axis); }
  void write(const ir::Slice&) { begin("Slice"); }
  void write(const ir::Pad&) { set(begin("Pad"), "mode", "constant"); }
  void write(const ir::Reshape& op) {
    auto& proto = begin("Reshape");
    if (op.allow_zero) set(proto, "allowzero", std::int64_t{1});
  }
  void write(const ir::Flatten& op) { set(begin("Flatten"), "axis", op.axis); }
  void write(const ir::Transpose& op) { set(begin("Transpose"), "perm", op.perm); }
  void write(const ir::Unsqueeze&) { begin("Unsqueeze"); }
  void write(const ir::Squeeze&) { begin("Squeeze"); }
  void write(const ir::Gather& op) { set(begin("Gather"), "axis", op.axis); }
  void write(const ir::ShapeOf& op) {
    auto& proto = begin("Shape");
    const ir::ShapeOf whole;
    if (op.start != whole.start) set(proto, "start", op.start);
    if (op.end != whole.end) set(proto, "end", op.end);
  }
  void write(const ir::Cast& op) {
    set(begin("Cast"), "to", std::int64_t{onnx_io::to_onnx_type(op.to)});
  }
  void write(const ir::Softmax& op) { set(begin("Softmax"), "axis", op.axis); }

  void write(const ir::Resize& op) {
    constexpr std::array kCoordinates{"half_pixel", "pytorch_half_pixel", "align_corners",
                                      "asymmetric"};
    constexpr std::array kNearest{"round_prefer_floor", "round_prefer_ceil", "floor", "ceil"};
    auto& proto = begin("Resize");
    set(proto, "mode", op.mode == ir::Resize::Mode::nearest ? "nearest" : "linear");
    set(proto, "coordinate_transformation_mode",
        kCoordinates.at(static_cast<std::size_t>(op.coordinates)));
    if (op.mode == ir::Resize::Mode::nearest)
      set(proto, "nearest_mode", kNearest.at(static_cast<std::size_t>(op.nearest)));
  }

  void write(const ir::Reduce& op) {
    const int axes_are_input_since = op.kind == ir::Reduce::Kind::sum ? 13 : 18;
    if (opset_ >= axes_are_input_since) {
      set(begin(ir::op_name(op)), "keepdims", std::int64_t{op.keep_dims});
      return;
    }
    auto& proto = begin(ir::op_name(op), 1);
    set(proto, "keepdims", std::int64_t{op.keep_dims});
    const ir::Constant* axes = graph_.constant(node_->input(1));
    XGEN_CHECK(axes != nullptr || node_->input(1) == ir::kNoValue, "node \"", node_->name,
               "\": axes must be constant");
    if (axes != nullptr) set(proto, "axes", axes->as_integers());
  }

  void write(const ir::Dropout& op) {
    const std::string x = name_of_value(node_->inputs[0]);
    begin("Dropout", node_->name, {x, scalar("ratio", ir::Constant::scalar(op.ratio))},
          output_name());
  }
  void write(const ir::QuantizeLinear& op) { set(begin("QuantizeLinear"), "axis", op.axis); }
  void write(const ir::DequantizeLinear& op) { set(begin("DequantizeLinear"), "axis", op.axis); }

  const ir::Graph& graph_;
  const int opset_;
  onnx::ModelProto model_;
  onnx::GraphProto* proto_ = nullptr;
  const ir::Node* node_ = nullptr;
  std::set<ValueId> used_;  ///< constants that are read.
};

// @param what  the model is, for messages.
std::string bytes_of(const ir::Graph& graph, const std::map<std::string, std::string>& metadata,
                     const std::string& what) {
  const onnx::ModelProto model = Exporter(graph, required_opset(graph)).run(metadata);
  constexpr std::size_t kLimitBytes = std::size_t{1} << 31;  // protobuf's, and so ONNX'
  std::string bytes;
  if (model.ByteSizeLong() >= kLimitBytes || !model.SerializeToString(&bytes)) {
    throw UserError(str(what, ": the model has ", model.ByteSizeLong(),
                        " bytes; an ONNX file holds at most 2 GiB"));
  }
  return bytes;
}

}  // namespace

void export_onnx(const ir::Graph& graph, const std::filesystem::path& path,
                 const std::map<std::string, std::string>& metadata) {
  write_atomically(path, bytes_of(graph, metadata, path.string()));
}

std::string onnx_sha256(const ir::Graph& graph) {
  return sha256_hex(bytes_of(graph, {}, graph.name));
}

}  // namespace xgen
