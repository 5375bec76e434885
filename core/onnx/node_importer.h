#pragma once

#include <onnx/onnx_pb.h>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "core/ir/graph.h"
#include "core/ir/infer_shapes.h"

namespace xgen::onnx_io {

/// The graph while it is read: names seen so far, and what is known of each value.
struct ImportState {
  ir::Graph graph;
  int opset = 0;
  std::filesystem::path folder;  ///< of the model, for external data.
  std::map<std::string, ir::ValueId> scope;
  /// An output of an Identity node which is an output of the model, by the value that it copies:
  /// the copied value takes its name.
  std::map<std::string, std::string> renamed;
  std::vector<ir::InferredValue> values;

  ir::ValueId add_constant(const std::string& name, ir::Constant constant);
  ir::ValueId add_node(const std::string& name, ir::Op op, std::vector<ir::ValueId> inputs,
                       const std::string& output_name);
};

/// Reads one node: access to its attributes and inputs, and to the graph that it is added to.
class NodeImporter {
 public:
  NodeImporter(ImportState& state, const onnx::NodeProto& proto, std::string name)
      : state_(state), proto_(proto), name_(std::move(name)) {}

  int opset() const { return state_.opset; }
  const std::string& name() const { return name_; }

  bool has_attribute(const std::string& key) const { return find(key) != nullptr; }
  std::int64_t integer(const std::string& key, std::int64_t fallback) const;
  float real(const std::string& key, float fallback) const;
  std::string text(const std::string& key, const std::string& fallback) const;
  std::vector<std::int64_t> integers(const std::string& key,
                                     std::vector<std::int64_t> fallback) const;
  std::vector<float> reals(const std::string& key) const;
  const onnx::AttributeProto* find(const std::string& key) const;
  std::int64_t required_integer(const std::string& key) const;

  std::size_t input_count() const { return static_cast<std::size_t>(proto_.input_size()); }
  /// Input `i`, or kNoValue when it is absent.
  ir::ValueId input(std::size_t i) const;
  bool has_input(std::size_t i) const { return input(i) != ir::kNoValue; }
  /// Input `i`; @throws UserError when it is absent.
  ir::ValueId required(std::size_t i) const;
  std::vector<ir::ValueId> all_inputs() const;
  const ir::InferredValue& known(ir::ValueId id) const {
    return state_.values.at(static_cast<std::size_t>(id));
  }
  const ir::Shape& shape(std::size_t i) const { return *known(required(i)).type.shape; }
  ir::DType dtype(std::size_t i) const { return known(required(i)).type.dtype; }
  /// Integers of input `i`, known without running the model.
  std::vector<std::int64_t> known_integers(std::size_t i, const std::string& what) const;
  /// The one float of input `i`, which must be a constant; `fallback` when it is absent.
  float constant_real(std::size_t i, float fallback, const std::string& what) const;

  /// A new constant called after this node.
  ir::ValueId integers_constant(const std::string& suffix, const std::vector<std::int64_t>& values);
  ir::ValueId constant(const std::string& suffix, ir::Constant value);
  /// Adds a node which gives this node's output.
  void emit(ir::Op op, std::vector<ir::ValueId> inputs) { emit_output(0, name_, op, inputs); }
  std::size_t output_count() const { return static_cast<std::size_t>(proto_.output_size()); }
  /// Adds a node called `name` which gives this node's output `i`, where that has a name.
  void emit_output(std::size_t i, const std::string& name, ir::Op op,
                   std::vector<ir::ValueId> inputs);
  /// Adds a helper node, called after this node.
  ir::ValueId emit_helper(const std::string& suffix, ir::Op op, std::vector<ir::ValueId> inputs);
  /// This node's output is another name for `id`.
  void alias(ir::ValueId id);

  const std::filesystem::path& folder() const { return state_.folder; }

  /// @throws UserError `node "NAME" (Op, opset 13): message`.
  template <class... Args>
  [[noreturn]] void fail(const Args&... message) const {
    throw UserError(str("node \"", name_, "\" (", proto_.op_type(), ", opset ", state_.opset,
                        "): ", message...));
  }

 private:
  ImportState& state_;
  const onnx::NodeProto& proto_;
  std::string name_;
};

#define XGEN_ONNX_OPERATOR(op_type, function) void function(NodeImporter& node);
#include "core/onnx/operators.inc"
#undef XGEN_ONNX_OPERATOR

}  // namespace xgen::onnx_io
