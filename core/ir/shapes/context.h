#pragma once

#include <string>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/ir/infer_shapes.h"

namespace xgen::ir {

/// One node with what is known of its inputs: what an inference rule sees.
class NodeContext {
 public:
  NodeContext(const Graph& graph, const Node& node, const std::vector<InferredValue>& values)
      : graph_(graph), node_(node), values_(values) {}

  const Node& node() const { return node_; }
  std::size_t input_count() const { return node_.inputs.size(); }
  bool has(std::size_t i) const { return node_.input(i) != kNoValue; }
  DType dtype(std::size_t i) const { return info(i).type.dtype; }
  const Shape& shape(std::size_t i) const { return *info(i).type.shape; }
  int rank(std::size_t i) const { return static_cast<int>(shape(i).size()); }
  const std::optional<std::vector<Dim>>& elements(std::size_t i) const { return info(i).elements; }
  const Constant* constant(std::size_t i) const { return graph_.constant(node_.input(i)); }

  /// The contents of input `i`, which must be integers known without running the model.
  std::vector<std::int64_t> integers(std::size_t i, const std::string& what) const;
  /// The contents of input `i`, which must be a constant of floats.
  std::vector<float> floats(std::size_t i, const std::string& what) const;
  /// `axis` counted from the front; @throws UserError when it is outside [-rank, rank).
  std::size_t axis(std::int64_t axis, int rank) const;
  void require_rank(std::size_t i, int rank, const std::string& what) const;
  /// Both extents must be equal; symbols are equal when they have the same name.
  void require_equal(const Dim& a, const Dim& b, const std::string& what) const;
  /// Both extents together under numpy's broadcasting.
  Dim broadcast(const Dim& a, const Dim& b) const;
  Shape broadcast(const Shape& a, const Shape& b) const;

  /// @throws UserError `node "NAME" (Op): message`.
  template <class... Args>
  [[noreturn]] void fail(const Args&... message) const {
    throw UserError(str("node \"", node_.name, "\" (", op_name(node_.op), "): ", message...));
  }

 private:
  const InferredValue& info(std::size_t i) const;

  const Graph& graph_;
  const Node& node_;
  const std::vector<InferredValue>& values_;
};

/// Infers the output of one node into `values`; what its inputs need is there already.
void infer_node(const Graph& graph, const Node& node, std::vector<InferredValue>& values);
/// What is known of an input or a constant by itself.
InferredValue infer_source(const Value& value);

inline InferredValue result(DType dtype, Shape shape) {
  return {{dtype, std::move(shape), {}}, std::nullopt};
}

// One rule per operator, by family.
InferredValue infer(const Conv& op, const NodeContext& node);
InferredValue infer(const MaxPool& op, const NodeContext& node);
InferredValue infer(const AveragePool& op, const NodeContext& node);
InferredValue infer(const GlobalAveragePool& op, const NodeContext& node);
InferredValue infer(const Resize& op, const NodeContext& node);

InferredValue infer(const BatchNorm& op, const NodeContext& node);
InferredValue infer(const Gemm& op, const NodeContext& node);
InferredValue infer(const MatMul& op, const NodeContext& node);
InferredValue infer(const Unary& op, const NodeContext& node);
InferredValue infer(const Binary& op, const NodeContext& node);
InferredValue infer(const Cast& op, const NodeContext& node);
InferredValue infer(const Softmax& op, const NodeContext& node);
InferredValue infer(const Reduce& op, const NodeContext& node);
InferredValue infer(const Dropout& op, const NodeContext& node);
InferredValue infer(const QuantizeLinear& op, const NodeContext& node);
InferredValue infer(const DequantizeLinear& op, const NodeContext& node);

InferredValue infer(const Concat& op, const NodeContext& node);
InferredValue infer(const Slice& op, const NodeContext& node);
InferredValue infer(const Pad& op, const NodeContext& node);
InferredValue infer(const Reshape& op, const NodeContext& node);
InferredValue infer(const Flatten& op, const NodeContext& node);
InferredValue infer(const Transpose& op, const NodeContext& node);
InferredValue infer(const Unsqueeze& op, const NodeContext& node);
InferredValue infer(const Squeeze& op, const NodeContext& node);
InferredValue infer(const Gather& op, const NodeContext& node);
InferredValue infer(const ShapeOf& op, const NodeContext& node);

/// The integers that `node` computes from known integers: the arithmetic on shapes which exporters
/// leave in a file. Nothing when an operand is unknown or the operator is none of these.
std::optional<std::vector<Dim>> infer_elements(const NodeContext& node, const Shape& output);

/// Bounds of a Slice along one axis, as ONNX clamps them.
struct SliceRange {
  std::int64_t start = 0;
  std::int64_t step = 1;
  std::int64_t count = 0;
};
/// `extent` elements, sliced [start, end) with `step` != 0.
SliceRange slice_range(std::int64_t extent, std::int64_t start, std::int64_t end,
                       std::int64_t step);

}  // namespace xgen::ir
