#include "core/ir/rewrite/shrink_channels.h"

#include <algorithm>
#include <numeric>

#include "core/ir/rewrite/channel_labels.h"
#include "core/ir/shapes/context.h"

namespace xgen::ir {

namespace {

/// A constant without some indices of an axis.
Constant without(const Constant& constant, std::size_t axis, const std::vector<bool>& keep) {
  std::size_t inner = size_of(constant.dtype), outer = 1;
  for (std::size_t a = 0; a < constant.shape.size(); ++a)
    (a < axis ? outer : inner) *= a == axis ? 1 : static_cast<std::size_t>(constant.shape[a]);
  Constant result = constant;
  result.bytes.clear();
  result.shape[axis] = std::count(keep.begin(), keep.end(), true);
  for (std::size_t o = 0; o < outer; ++o) {
    for (std::size_t i = 0; i < keep.size(); ++i) {
      if (!keep[i]) continue;
      const auto from =
          constant.bytes.begin() + static_cast<std::ptrdiff_t>((o * keep.size() + i) * inner);
      result.bytes.insert(result.bytes.end(), from, from + static_cast<std::ptrdiff_t>(inner));
    }
  }
  return result;
}

class Shrinker {
 public:
  Shrinker(const Graph& graph, const std::vector<ChannelUnit>& removed)
      : original_(graph),
        graph_(graph),
        labels_(graph),
        gone_(static_cast<std::size_t>(labels_.label_count()), false) {
    for (const ChannelUnit& unit : removed) {
      XGEN_CHECK(unit.pinned.empty(), "a pinned channel: ", unit.pinned);
      gone_.at(static_cast<std::size_t>(unit.label)) = true;
    }
  }

  Graph run() {
    for (std::size_t v = 0; v < original_.values().size(); ++v)
      shrink_constant(static_cast<ValueId>(v));
    for (std::size_t n = 0; n < original_.nodes().size(); ++n) follow(n);
    return infer_shapes(std::move(graph_).pruned());
  }

 private:
  std::vector<bool> keep(ValueId id, std::size_t axis) const {
    std::vector<bool> keep;
    for (const int label : labels_.of(id, axis))
      keep.push_back(!gone_[static_cast<std::size_t>(label)]);
    return keep;
  }
  static std::int64_t count(const std::vector<bool>& keep) {
    return std::count(keep.begin(), keep.end(), true);
  }

  void shrink_constant(ValueId id) {
    if (!original_.is_constant(id)) return;
    for (std::size_t axis = 0; axis < original_.constant(id)->shape.size(); ++axis) {
      const std::vector<bool> kept = keep(id, axis);
      if (std::find(kept.begin(), kept.end(), false) == kept.end()) continue;
      if (original_.value(id).sparsity)
        throw UserError(str("weight \"", original_.value(id).name,
                            "\" has a mask; channels are removed before other schemes prune"));
      graph_.set_constant(id, without(*graph_.constant(id), axis, kept));
    }
  }

  /// Input `i` of a node becomes a constant of its own: others may share the old one.
  void set_numbers(std::size_t n, std::size_t i, const std::vector<std::int64_t>& numbers) {
    Node& node = graph_.mutable_nodes()[n];
    const Extents shape = original_.constant(original_.nodes()[n].inputs[i])->shape;
    Extents extents = shape;
    if (!extents.empty()) extents[0] = static_cast<std::int64_t>(numbers.size());
    node.inputs[i] = graph_.add_constant(str(node.name, ".shrunk_", i),
                                         Constant::of<std::int64_t>(extents, numbers));
  }

  void follow(std::size_t n) {
    const Node& node = original_.nodes()[n];
    const Shape& out = labels_.shape(node.output());
    bool changes = false;
    for (std::size_t axis = 0; axis < out.size(); ++axis) {
      const std::vector<bool> kept = keep(node.output(), axis);
      changes = changes || count(kept) < static_cast<std::int64_t>(kept.size());
      if (!kept.empty() && count(kept) == 0)
        throw UserError(
            str("node \"", node.name, "\" (", op_name(node.op), "): no channel is left"));
    }
    if (const auto* conv = node.as<Conv>(); conv != nullptr && conv->groups > 1) {
      const std::vector<bool> kept = keep(node.inputs[0], 1);
      const bool depthwise = labels_.shape(node.inputs[1])[1] == Dim(1);
      if (depthwise && !kept.empty()) graph_.mutable_nodes()[n].as<Conv>()->groups = count(kept);
    }
    if (node.as<Reshape>() && changes) follow_reshape(n);
    if (node.as<Slice>()) follow_slice(n);
    if (node.as<Pad>() && changes) follow_pad(n);
    if (node.as<Gather>()) follow_gather(n);
  }

  void follow_reshape(std::size_t n) {
    const Node& node = original_.nodes()[n];
    std::vector<std::int64_t> target = original_.constant(node.inputs[1])->as_integers();
    for (std::size_t axis = 0; axis < target.size(); ++axis) {
      const std::vector<bool> kept = keep(node.output(), axis);
      if (!kept.empty() && target[axis] > 0) target[axis] = count(kept);
    }
    set_numbers(n, 1, target);
  }

  void follow_slice(std::size_t n) {
    const Node& node = original_.nodes()[n];
    const NodeContext context(original_, node, labels_.values());
    const Constant *starts = original_.constant(node.inputs[1]),
                   *ends = original_.constant(node.inputs[2]);
    if (starts == nullptr || ends == nullptr) return;
    std::vector<std::int64_t> from = starts->as_integers(), to = ends->as_integers();
    std::vector<std::int64_t> axes(from.size());
    std::iota(axes.begin(), axes.end(), 0);
    if (context.has(3)) axes = context.integers(3, "axes");
    bool changed = false;
    for (std::size_t i = 0; i < axes.size(); ++i) {
      const std::size_t axis = context.axis(axes[i], context.rank(0));
      const std::vector<bool> kept = keep(node.inputs[0], axis);
      if (count(kept) == static_cast<std::int64_t>(kept.size())) continue;
      const SliceRange range =
          slice_range(static_cast<std::int64_t>(kept.size()), from[i], to[i], 1);
      const auto first = kept.begin() + range.start;
      from[i] = std::count(kept.begin(), first, true);
      to[i] = from[i] + std::count(first, first + range.count, true);
      changed = true;
    }
    if (!changed) return;
    set_numbers(n, 1, from);
    set_numbers(n, 2, to);
  }

  void follow_pad(std::size_t n) {
    const Node& node = original_.nodes()[n];
    std::vector<std::int64_t> pads = original_.constant(node.inputs[1])->as_integers();
    const std::size_t rank = pads.size() / 2;
    for (std::size_t axis = 0; axis < rank; ++axis) {
      const std::vector<bool> kept = keep(node.output(), axis);
      if (kept.empty()) continue;
      pads[axis] = std::count(kept.begin(), kept.begin() + pads[axis], true);
      pads[rank + axis] = std::count(kept.end() - pads[rank + axis], kept.end(), true);
    }
    set_numbers(n, 1, pads);
  }

  void follow_gather(std::size_t n) {
    const Node& node = original_.nodes()[n];
    const NodeContext context(original_, node, labels_.values());
    const std::size_t axis = context.axis(node.as<Gather>()->axis, context.rank(0));
    const std::vector<bool> kept = keep(node.inputs[0], axis);
    if (count(kept) == static_cast<std::int64_t>(kept.size())) return;
    std::vector<std::int64_t> indices;
    for (std::int64_t c : original_.constant(node.inputs[1])->as_integers()) {
      if (c < 0) c += static_cast<std::int64_t>(kept.size());
      if (kept[static_cast<std::size_t>(c)])
        indices.push_back(std::count(kept.begin(), kept.begin() + c, true));
    }
    set_numbers(n, 1, indices);
  }

  const Graph& original_;
  Graph graph_;
  ChannelLabels labels_;
  std::vector<bool> gone_;
};

}  // namespace

Graph shrink_channels(const Graph& graph, const std::vector<ChannelUnit>& removed) {
  return Shrinker(graph, removed).run();
}

}  // namespace xgen::ir
