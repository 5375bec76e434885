#include "core/ir/rewrite/rebatch.h"

#include <algorithm>
#include <cctype>

#include "core/ir/shapes/context.h"

namespace xgen::ir {

namespace {

const char* const kBatch = "N";

/// Whether an extent depends on the batch: "N" itself, or an expression in it.
bool has_batch(const Dim& dim) {
  const auto is_word = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '.';
  };
  const std::string& s = dim.symbol;
  for (std::size_t at = s.find(kBatch); at != std::string::npos; at = s.find(kBatch, at + 1)) {
    const bool starts = at == 0 || !is_word(s[at - 1]);
    const bool ends = at + 1 == s.size() || !is_word(s[at + 1]);
    if (starts && ends) return true;
  }
  return false;
}

struct Refusal {
  std::string reason;
};

class Rebatcher {
 public:
  explicit Rebatcher(const Graph& graph) : graph_(graph) {}

  Graph run() {
    for (const ValueId id : graph_.inputs()) bind_input(id);
    for (const Value& v : graph_.values()) values_.push_back(infer_source(v));
    for (std::size_t i = 0; i < graph_.nodes().size(); ++i) {
      relax_reshape(i);
      const Node& node = graph_.nodes()[i];
      infer_node(graph_, node, values_);
      check(node);
    }
    for (const ValueId id : graph_.outputs()) {
      const Shape& shape = shape_of(id);
      if (shape.empty() || shape[0] != Dim(kBatch)) {
        throw Refusal{str("output \"", graph_.value(id).name, "\" has shape ", to_string(shape),
                          ", without the batch in front")};
      }
    }
    return infer_shapes(std::move(graph_));
  }

 private:
  const Shape& shape_of(ValueId id) const {
    return *values_[static_cast<std::size_t>(id)].type.shape;
  }
  bool batched(ValueId id) const {
    const Shape& shape = shape_of(id);
    return std::any_of(shape.begin(), shape.end(), has_batch);
  }
  [[noreturn]] static void refuse(const Node& node, const std::string& why) {
    throw Refusal{str("node \"", node.name, "\" (", op_name(node.op), ") ", why)};
  }

  void bind_input(ValueId id) {
    Value& value = graph_.value(id);
    Shape& shape = *value.type.shape;
    if (shape.empty() || shape[0] != Dim(1)) {
      throw Refusal{str("input \"", value.name, "\" has shape ", to_string(shape),
                        ", expected a first extent of 1")};
    }
    shape[0] = Dim(kBatch);
  }

  /// A target {1, ...} for a batched input becomes {0, ...}.
  void relax_reshape(std::size_t index) {
    const Node node = graph_.nodes()[index];
    if (!node.as<Reshape>() || !batched(node.inputs[0])) return;
    const Constant* target = graph_.constant(node.inputs[1]);
    if (target == nullptr) return;  // shape arithmetic carries the batch by itself
    auto numbers = target->as_integers();
    if (numbers.empty() || numbers[0] != 1 || shape_of(node.inputs[0])[0] != Dim(kBatch)) return;
    numbers[0] = 0;
    if (node.as<Reshape>()->allow_zero)
      refuse(node, "has allow_zero, so that its target cannot copy the batch");
    const ValueId relaxed = graph_.add_constant(
        node.name + ".rebatched",
        Constant::of<std::int64_t>({static_cast<std::int64_t>(numbers.size())}, numbers));
    values_.push_back(infer_source(graph_.value(relaxed)));
    graph_.mutable_nodes()[index].inputs[1] = relaxed;
  }

  void check(const Node& node) const {
    const Shape& out = shape_of(node.output());
    for (std::size_t i = 1; i < out.size(); ++i) {
      if (has_batch(out[i]))
        refuse(node, str("moves the batch away from the first axis: ", to_string(out)));
    }
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      if (node.inputs[i] != kNoValue && batched(node.inputs[i])) check_batched_input(node, i);
    }
    // The number of samples must not become data.
    const auto& elements = values_[static_cast<std::size_t>(node.inputs[0])].elements;
    if (node.as<Cast>() && elements && std::any_of(elements->begin(), elements->end(), has_batch) &&
        !values_[static_cast<std::size_t>(node.output())].elements) {
      refuse(node, "computes with the size of the batch");
    }
  }

  void check_batched_input(const Node& node, std::size_t i) const {
    const auto rank = static_cast<std::int64_t>(shape_of(node.inputs[i]).size());
    const auto along_batch = [&](std::int64_t axis) { return axis == 0 || axis == -rank; };
    bool mixes = false;
    if (const auto* op = node.as<Softmax>()) mixes = along_batch(op->axis);
    if (const auto* op = node.as<Concat>()) mixes = along_batch(op->axis);
    if (const auto* op = node.as<Gather>()) mixes = i == 0 && along_batch(op->axis);
    if (node.as<Reduce>()) {
      mixes = node.input(1) == kNoValue;
      if (!mixes) {
        const auto& axes = values_[static_cast<std::size_t>(node.inputs[1])].elements;
        mixes = !axes || axes->empty() ||
                std::any_of(axes->begin(), axes->end(),
                            [&](const Dim& a) { return !a.is_static() || along_batch(a.size); });
      }
    }
    // As a right operand of two axes the batch would be summed over.
    if (node.as<MatMul>()) mixes = rank == 1 || (i == 1 && rank == 2);
    if (const auto* op = node.as<Gemm>()) mixes = i == 1 || (i == 0 && op->trans_a);
    if (node.as<Conv>()) mixes = i == 1 || i == 2;
    if (node.as<BatchNorm>()) mixes = i > 0;
    if (node.as<Slice>()) mixes = i == 0 && slices_batch(node);
    if (node.as<Pad>()) mixes = shape_of(node.output())[0] != shape_of(node.inputs[0])[0];
    if (node.as<Resize>()) mixes = shape_of(node.output())[0] != shape_of(node.inputs[0])[0];
    if (node.as<Binary>()) mixes = shape_of(node.output()).size() != static_cast<std::size_t>(rank);
    if (mixes) refuse(node, "works along the batch");
  }

  /// A slice that is the whole batch in order is fine.
  bool slices_batch(const Node& node) const {
    if (shape_of(node.output())[0] != shape_of(node.inputs[0])[0]) return true;
    const auto& steps = node.input(4) == kNoValue
                            ? std::optional<std::vector<Dim>>(std::vector<Dim>{})
                            : values_[static_cast<std::size_t>(node.inputs[4])].elements;
    return !steps || std::any_of(steps->begin(), steps->end(),
                                 [](const Dim& s) { return !s.is_static() || s.size < 0; });
  }

  Graph graph_;
  std::vector<InferredValue> values_;
};

}  // namespace

RebatchResult rebatch(const Graph& graph) {
  const auto is_symbolic = [&](ValueId id) {
    const auto& shape = graph.value(id).type.shape;
    return shape && !shape->empty() && !shape->front().is_static();
  };
  if (!graph.inputs().empty() &&
      std::all_of(graph.inputs().begin(), graph.inputs().end(), is_symbolic)) {
    return {graph, ""};
  }
  try {
    return {Rebatcher(graph).run(), ""};
  } catch (const Refusal& refusal) {
    return {std::nullopt, refusal.reason};
  } catch (const UserError& error) {
    // Shapes that only fit a batch of 1.
    return {std::nullopt, error.what()};
  }
}

}  // namespace xgen::ir
