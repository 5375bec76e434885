#include <algorithm>
#include <numeric>

#include "core/ir/rewrite/channel_labels.h"
#include "core/ir/rewrite/channel_reshape.h"
#include "core/ir/shapes/context.h"

namespace xgen::ir {

namespace {

/// One node while its result is labelled.
class Labeller {
 public:
  Labeller(const Node& node, ChannelLabels& labels)
      : node_(node), labels_(labels), context_(labels.graph(), node, labels.values()) {}

  void apply() {
    std::visit([this](const auto& op) { label(op); }, node_.op);
  }

 private:
  std::size_t rank(ValueId id) const { return labels_.shape(id).size(); }
  ValueId in(std::size_t i) const { return node_.inputs[i]; }
  Labels input(std::size_t i, std::size_t axis) const { return labels_.of(in(i), axis); }
  std::string because(const std::string& what) const {
    return str("node \"", node_.name, "\" (", op_name(node_.op), ") ", what);
  }
  void give(std::size_t axis, const Labels& labels) {
    labels_.assign(node_.output(), axis, labels, because("computes it"));
  }
  /// Slices of a constant go with the channels.
  void tie(std::size_t i, std::size_t axis, const Labels& labels) {
    if (node_.input(i) == kNoValue) return;
    if (labels_.graph().is_constant(in(i)))
      labels_.assign(in(i), axis, labels, because("shares a constant with other readers"));
    else
      labels_.unite(input(i, axis), labels, because("reads channels that are fixed"));
  }
  void pin_axis(std::size_t i, std::size_t axis, const std::string& what) {
    labels_.pin(input(i, axis), because(what));
  }
  void pin_all(const std::string& what) {
    for (const ValueId id : node_.inputs) {
      if (id == kNoValue) continue;
      for (std::size_t axis = 0; axis < rank(id); ++axis)
        labels_.pin(labels_.of(id, axis), because(what));
    }
    fix_rest();
  }
  /// Output axes without labels so far are fixed.
  void fix_rest(std::size_t from = 0) {
    for (std::size_t axis = from; axis < rank(node_.output()); ++axis) give(axis, {});
  }
  void pass(std::size_t axis) { give(axis, input(0, axis)); }
  void pass_all() {
    for (std::size_t axis = 0; axis < rank(in(0)); ++axis) pass(axis);
  }

  void label(const Conv& op) {
    const auto groups = static_cast<std::size_t>(op.groups);
    if (!labels_.graph().is_constant(in(1)) || op.epilogue.residual)
      return pin_all("has weights that are computed");
    const auto filters = static_cast<std::size_t>(labels_.shape(in(1))[0].size);
    const auto per_group = static_cast<std::size_t>(labels_.shape(in(1))[1].size);
    const Labels x = input(0, 1);
    Labels y;
    if (groups > 1 && per_group == 1) {
      // Depthwise: filter o reads channel o / multiplier alone.
      if (!x.empty()) {
        for (std::size_t o = 0; o < filters; ++o) y.push_back(x[o / (filters / groups)]);
      }
      labels_.assign(in(1), 1, {}, because(""));
    } else {
      // Every group keeps as many channels as the others: the j-th ones go together.
      Labels first(x.begin(), x.begin() + static_cast<std::ptrdiff_t>(x.empty() ? 0 : per_group));
      for (std::size_t c = 0; c < x.size(); ++c) labels_.unite(x[c], x[c % per_group]);
      tie(1, 1, first);
      const Labels own = labels_.fresh(filters / groups);
      for (std::size_t o = 0; o < filters; ++o) y.push_back(own[o % own.size()]);
    }
    tie(1, 0, y);
    tie(2, 0, y);
    pass(0);
    give(1, y);
    for (std::size_t axis = 2; axis < 4; ++axis) pin_axis(0, axis, "convolves along this axis");
    fix_rest(2);
  }

  void label(const BatchNorm&) {
    for (std::size_t i = 1; i < 5; ++i) tie(i, 0, input(0, 1));
    pass_all();
  }

  void label(const Gemm& op) {
    const std::size_t k = op.trans_b ? 1 : 0;
    if (op.trans_a || !labels_.graph().is_constant(in(1)))
      return pin_all("multiplies two computed matrices");
    tie(1, k, input(0, 1));
    const Labels y = labels_.fresh(static_cast<std::size_t>(labels_.shape(in(1))[1 - k].size));
    tie(1, 1 - k, y);
    if (node_.input(2) != kNoValue && rank(in(2)) > 0) {
      const std::size_t last = rank(in(2)) - 1;
      const bool broadcast = labels_.shape(in(2))[last] == Dim(1);
      tie(2, last, broadcast ? Labels{} : y);
    }
    pass(0);
    give(1, y);
  }

  void label(const MatMul&) {
    const std::size_t a = rank(in(0)), b = rank(in(1)), out = rank(node_.output());
    if (a < 2 || b < 2) return pin_all("multiplies by a vector");
    if (labels_.graph().is_constant(in(0))) return pin_all("multiplies a constant from the left");
    // Summed over together.
    tie(1, b - 2, input(0, a - 1));
    if (labels_.graph().is_constant(in(1)) && b == 2)
      tie(1, 1, labels_.fresh(static_cast<std::size_t>(labels_.shape(in(1))[1].size)));
    give(out - 1, input(1, b - 1));
    give(out - 2, input(0, a - 2));
    broadcast_axes(out, 2);
  }

  /// Labels of the output's axes but the last `skip`, numpy's way.
  void broadcast_axes(std::size_t out, std::size_t skip) {
    for (std::size_t axis = 0; axis + skip < out; ++axis) {
      Labels y;
      std::vector<std::pair<std::size_t, std::size_t>> readers;  // input and axis with the extent
      for (std::size_t i = 0; i < 2; ++i) {
        const std::size_t missing = out - rank(in(i));
        if (axis < missing) continue;
        const std::size_t own = axis - missing;
        if (labels_.shape(in(i))[own] == Dim(1) && labels_.shape(node_.output())[axis] != Dim(1))
          continue;
        readers.emplace_back(i, own);
        if (!labels_.graph().is_constant(in(i)) && y.empty()) y = input(i, own);
      }
      for (const auto& [i, own] : readers) tie(i, own, y);
      give(axis, y);
    }
  }

  void label(const Binary&) { broadcast_axes(rank(node_.output()), 0); }
  void label(const Unary&) { pass_all(); }
  void label(const Dropout&) { pass_all(); }
  void label(const Cast&) { pass_all(); }

  void spatial(const char* what) {
    pass(0);
    pass(1);
    for (std::size_t axis = 2; axis < rank(in(0)); ++axis) pin_axis(0, axis, what);
    fix_rest(2);
  }
  void label(const MaxPool&) { spatial("pools along this axis"); }
  void label(const AveragePool&) { spatial("pools along this axis"); }
  void label(const GlobalAveragePool&) { spatial("averages over this axis"); }
  void label(const Resize&) {
    for (std::size_t axis = 0; axis < rank(in(0)); ++axis) {
      const bool same = labels_.shape(in(0))[axis] == labels_.shape(node_.output())[axis];
      if (!same) pin_axis(0, axis, "resizes this axis");
      give(axis, same ? input(0, axis) : Labels{});
    }
    // Sizes are numbers, which would have to change with the channels; scales are not.
    if (node_.input(3) != kNoValue)
      for (std::size_t axis = 0; axis < rank(in(0)); ++axis)
        pin_axis(0, axis, "states the size of its result");
  }

  void label(const Softmax& op) {
    pin_axis(0, context_.axis(op.axis, context_.rank(0)), "normalises over these channels");
    pass_all();
  }

  void label(const Reduce& op) {
    std::vector<bool> reduced(rank(in(0)), node_.input(1) == kNoValue);
    if (node_.input(1) != kNoValue) {
      const auto axes = context_.integers(1, "axes");
      for (const std::int64_t a : axes) reduced[context_.axis(a, context_.rank(0))] = true;
      if (axes.empty()) reduced.assign(reduced.size(), true);
    }
    std::size_t out = 0;
    for (std::size_t axis = 0; axis < reduced.size(); ++axis) {
      if (!reduced[axis]) {
        give(out++, input(0, axis));
        continue;
      }
      pin_axis(0, axis, "reduces over these channels");
      if (op.keep_dims) give(out++, {});
    }
  }

  void label(const Concat& op) {
    const std::size_t joined = context_.axis(op.axis, context_.rank(0));
    for (std::size_t axis = 0; axis < rank(node_.output()); ++axis) {
      Labels y;
      bool any = false;
      for (std::size_t i = 0; i < node_.inputs.size(); ++i) {
        const Labels x = input(i, axis);
        any = any || !x.empty();
        if (axis == joined) {
          if (x.empty() && labels_.shape(in(i))[axis].is_static()) {
            const auto count = static_cast<std::size_t>(labels_.shape(in(i))[axis].size);
            for (std::size_t c = 0; c < count; ++c) y.push_back(fixed_label());
          } else {
            y.insert(y.end(), x.begin(), x.end());
          }
        } else if (i == 0) {
          y = x;
        } else {
          labels_.unite(y, x, because("joins channels that are fixed"));
        }
      }
      give(axis, any ? y : Labels{});
    }
  }
  /// Of a channel that exists and cannot go.
  int fixed_label() {
    const Labels label = labels_.fresh(1);
    labels_.pin(label, because("reads channels that are fixed"));
    return label[0];
  }

  void label(const Slice&) {
    const auto starts = context_.integers(1, "starts");
    const auto& ends = context_.elements(2);
    std::vector<std::int64_t> axes(starts.size()), steps(starts.size(), 1);
    std::iota(axes.begin(), axes.end(), 0);
    if (context_.has(3)) axes = context_.integers(3, "axes");
    if (context_.has(4)) steps = context_.integers(4, "steps");
    std::vector<bool> sliced(rank(in(0)), false);
    for (std::size_t i = 0; i < axes.size(); ++i) {
      const std::size_t axis = context_.axis(axes[i], context_.rank(0));
      const Labels x = input(0, axis);
      if (x.empty()) continue;
      sliced[axis] = true;
      const SliceRange range =
          slice_range(static_cast<std::int64_t>(x.size()), starts[i], (*ends)[i].size, steps[i]);
      // A range stays a range when channels go; every n-th one does not.
      if (steps[i] != 1) pin_axis(0, axis, "takes channels in steps");
      Labels y;
      for (std::int64_t c = 0; c < range.count; ++c)
        y.push_back(x[static_cast<std::size_t>(range.start + c * range.step)]);
      give(axis, y);
    }
    for (std::size_t axis = 0; axis < sliced.size(); ++axis) {
      if (!sliced[axis]) give(axis, input(0, axis));
    }
  }

  void label(const Pad&) {
    const auto pads = context_.integers(1, "pads");
    for (std::size_t axis = 0; axis < rank(in(0)); ++axis) {
      const Labels x = input(0, axis);
      const std::int64_t before = pads[axis], after = pads[rank(in(0)) + axis];
      if (x.empty() || (before == 0 && after == 0)) {
        give(axis, x);
        continue;
      }
      if (before < 0 || after < 0) {
        pin_axis(0, axis, "cuts channels off");
        give(axis, {});
        continue;
      }
      Labels y = labels_.fresh(static_cast<std::size_t>(before + after));
      y.insert(y.begin() + static_cast<std::ptrdiff_t>(before), x.begin(), x.end());
      give(axis, y);
    }
  }

  void reshaped(bool target_is_known) {
    const auto reason = because("reshapes these channels in a way that is not followed");
    const std::vector<Labels> y = reshape_labels(node_, labels_, target_is_known, reason);
    for (std::size_t axis = 0; axis < y.size(); ++axis) give(axis, y[axis]);
  }
  void label(const Reshape&) { reshaped(labels_.graph().is_constant(in(1))); }
  void label(const Flatten&) { reshaped(true); }
  void label(const Unsqueeze&) { reshaped(true); }
  void label(const Squeeze&) { reshaped(true); }

  void label(const Transpose& op) {
    for (std::size_t axis = 0; axis < op.perm.size(); ++axis)
      give(axis, input(0, static_cast<std::size_t>(op.perm[axis])));
  }

  void label(const Gather& op) {
    const std::size_t axis = context_.axis(op.axis, context_.rank(0));
    const Constant* indices = labels_.graph().constant(in(1));
    const std::size_t indexed = rank(in(1));
    if (labels_.graph().is_constant(in(0))) {
      // A table: its columns are features that it makes.
      for (std::size_t a = axis + 1; a < rank(in(0)); ++a)
        tie(0, a, labels_.fresh(static_cast<std::size_t>(labels_.shape(in(0))[a].size)));
    }
    for (std::size_t a = 0; a < rank(in(0)); ++a) {
      if (a != axis) give(a < axis ? a : a + indexed - 1, input(0, a));
    }
    const Labels x = input(0, axis);
    if (!x.empty() && (indices == nullptr || indexed != 1))
      pin_axis(0, axis, "picks from these channels");
    for (std::size_t i = 0; i < indexed; ++i) {
      Labels y;
      if (!x.empty() && indices != nullptr && indexed == 1) {
        const auto count = static_cast<std::int64_t>(x.size());
        for (const std::int64_t c : indices->as_integers())
          y.push_back(x[static_cast<std::size_t>(c < 0 ? c + count : c)]);
      }
      give(axis + i, y);
    }
  }

  void label(const ShapeOf& op) {
    const SliceRange range = slice_range(context_.rank(0), op.start, op.end, 1);
    for (std::int64_t i = 0; i < range.count; ++i)
      pin_axis(0, static_cast<std::size_t>(range.start + i), "reads their number");
    fix_rest();
  }

  void label(const QuantizeLinear&) { pin_all("has quantized them already"); }
  void label(const DequantizeLinear&) { pin_all("has quantized them already"); }

  const Node& node_;
  ChannelLabels& labels_;
  NodeContext context_;
};

}  // namespace

void label_node(const Node& node, ChannelLabels& labels) { Labeller(node, labels).apply(); }

}  // namespace xgen::ir
