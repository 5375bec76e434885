#include "core/ir/rewrite/channel_labels.h"

namespace xgen::ir {

ChannelLabels::ChannelLabels(const Graph& graph) : graph_(graph), values_(infer_values(graph)) {
  for (const InferredValue& value : values_) axes_.emplace_back(value.type.shape->size());
  for (const ValueId id : graph.inputs()) {
    for (std::size_t axis = 0; axis < shape(id).size(); ++axis) axes_[index(id)][axis] = Labels{};
  }
  for (const Node& node : graph.nodes()) label_node(node, *this);
  for (const ValueId id : graph.outputs()) {
    for (std::size_t axis = 0; axis < shape(id).size(); ++axis)
      pin(of(id, axis), str("\"", graph.value(id).name, "\" is an output of the model"));
  }
}

Labels ChannelLabels::of(ValueId value, std::size_t axis) const {
  const std::optional<Labels>& given = axes_.at(index(value)).at(axis);
  Labels labels = given.value_or(Labels{});
  for (int& label : labels) label = root(label);
  return labels;
}

const std::string& ChannelLabels::pinned(int label) const {
  return reasons_[static_cast<std::size_t>(root(label))];
}

Labels ChannelLabels::fresh(std::size_t count) {
  Labels labels;
  for (std::size_t i = 0; i < count; ++i) {
    labels.push_back(static_cast<int>(sets_.add()));
    reasons_.emplace_back();
  }
  return labels;
}

void ChannelLabels::unite(int a, int b) {
  const std::string reason = pinned(a).empty() ? pinned(b) : pinned(a);
  sets_.join(static_cast<std::size_t>(a), static_cast<std::size_t>(b));
  reasons_[static_cast<std::size_t>(root(a))] = reason;
}

void ChannelLabels::unite(const Labels& a, const Labels& b, const std::string& reason) {
  if (a.empty()) return pin(b, reason);
  if (b.empty()) return pin(a, reason);
  XGEN_CHECK(a.size() == b.size(), a.size(), " labels meet ", b.size());
  for (std::size_t i = 0; i < a.size(); ++i) unite(a[i], b[i]);
}

void ChannelLabels::pin(const Labels& labels, const std::string& reason) {
  for (const int label : labels) {
    std::string& known = reasons_[static_cast<std::size_t>(root(label))];
    if (known.empty()) known = reason;
  }
}

void ChannelLabels::assign(ValueId value, std::size_t axis, const Labels& labels,
                           const std::string& reason) {
  std::optional<Labels>& known = axes_.at(index(value)).at(axis);
  const Dim& extent = shape(value)[axis];
  XGEN_CHECK(labels.empty() ||
                 (extent.is_static() && static_cast<std::size_t>(extent.size) == labels.size()),
             labels.size(), " labels for \"", graph_.value(value).name, "\" ",
             to_string(shape(value)));
  if (known)
    unite(*known, labels, reason);
  else
    known = labels;
}

}  // namespace xgen::ir
