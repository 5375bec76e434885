#include "core/ir/rewrite/channel_reshape.h"

#include <algorithm>
#include <set>

namespace xgen::ir {

namespace {

/// Axes [from, to) of the input that became axes [out_from, out_to) of the output.
struct AxisGroup {
  std::size_t from, to, out_from, out_to;
};

/// The finest groups of consecutive axes with equal products; nothing where symbols stand in the
/// way.
std::vector<AxisGroup> axis_groups(const Shape& in, const Shape& out) {
  std::vector<AxisGroup> groups;
  std::size_t i = 0, o = 0;
  while (i < in.size() || o < out.size()) {
    AxisGroup group{i, i, o, o};
    if (i < in.size() && o < out.size() && in[i] == out[o]) {
      group = {i, i + 1, o, o + 1};
    } else {
      std::int64_t a = 1, b = 1;
      std::size_t ai = i, bo = o;
      do {
        const bool take_in = ai < in.size() && (a <= b || bo == out.size());
        if (take_in) {
          if (!in[ai].is_static()) return {};
          a *= in[ai++].size;
        } else {
          if (bo == out.size() || !out[bo].is_static()) return {};
          b *= out[bo++].size;
        }
      } while (a != b);
      group = {i, ai, o, bo};
    }
    groups.push_back(group);
    i = group.to;
    o = group.out_to;
  }
  return groups;
}

/// Row-major positions along `axis` of each element of `shape`.
std::vector<std::size_t> coordinates(const Extents& shape, std::size_t axis) {
  const auto count = static_cast<std::size_t>(element_count(shape));
  std::size_t inner = 1;
  for (std::size_t a = axis + 1; a < shape.size(); ++a) inner *= static_cast<std::size_t>(shape[a]);
  std::vector<std::size_t> positions(count);
  for (std::size_t i = 0; i < count; ++i)
    positions[i] = i / inner % static_cast<std::size_t>(shape[axis]);
  return positions;
}

Extents part(const Shape& shape, std::size_t from, std::size_t to) {
  Extents extents;
  for (std::size_t a = from; a < to; ++a) extents.push_back(shape[a].size);
  return extents;
}

class Reshaper {
 public:
  Reshaper(const Node& node, ChannelLabels& labels, const std::string& reason)
      : labels_(labels),
        x_(node.inputs[0]),
        in_(labels.shape(x_)),
        out_(labels.shape(node.output())),
        reason_(reason),
        result_(out_.size()) {}

  std::vector<Labels> run(bool target_is_known) {
    const std::vector<AxisGroup> groups =
        target_is_known ? axis_groups(in_, out_) : std::vector<AxisGroup>{};
    if (groups.empty()) {
      for (std::size_t axis = 0; axis < in_.size(); ++axis) pin(axis);
    }
    for (const AxisGroup& group : groups) follow(group);
    return result_;
  }

 private:
  void pin(std::size_t axis) { labels_.pin(labels_.of(x_, axis), reason_); }

  void follow(const AxisGroup& group) {
    std::vector<std::size_t> labelled;
    for (std::size_t axis = group.from; axis < group.to; ++axis) {
      if (!labels_.of(x_, axis).empty()) labelled.push_back(axis);
    }
    if (labelled.empty()) return;
    if (labelled.size() > 1) {
      for (const std::size_t axis : labelled) pin(axis);
      return;
    }
    const Labels own = labels_.of(x_, labelled[0]);
    if (group.to - group.from == 1 && group.out_to - group.out_from == 1) {
      result_[group.out_from] = own;
      return;
    }
    Labels flat;
    for (const std::size_t c :
         coordinates(part(in_, group.from, group.to), labelled[0] - group.from))
      flat.push_back(own[c]);
    const Extents parts = part(out_, group.out_from, group.out_to);
    const std::size_t axis = axis_to_label(parts, flat, group);
    Labels& y = result_[group.out_from + axis];
    y.assign(static_cast<std::size_t>(parts[axis]), -1);
    const std::vector<std::size_t> positions = coordinates(parts, axis);
    for (std::size_t i = 0; i < flat.size(); ++i) {
      int& label = y[positions[i]];
      if (label < 0) label = flat[i];
      labels_.unite(label, flat[i]);
    }
  }

  std::size_t axis_to_label(const Extents& parts, const Labels& flat,
                            const AxisGroup& group) const {
    for (std::size_t axis = 0; axis < parts.size(); ++axis) {
      if (parts[axis] > 1 && unites_nothing(parts, flat, axis)) return axis;
    }
    const bool shuffle = in_.size() == 4 && group.from == 1 && group.to == 2 && parts.size() == 2;
    if (shuffle) return 1;
    const auto first = std::find_if(parts.begin(), parts.end(), [](auto p) { return p > 1; });
    return first == parts.end() ? 0 : static_cast<std::size_t>(first - parts.begin());
  }

  static bool unites_nothing(const Extents& parts, const Labels& flat, std::size_t axis) {
    const std::vector<std::size_t> positions = coordinates(parts, axis);
    Labels seen(static_cast<std::size_t>(parts[axis]), -1);
    for (std::size_t i = 0; i < flat.size(); ++i) {
      int& label = seen[positions[i]];
      if (label < 0) label = flat[i];
      if (label != flat[i]) return false;
    }
    return true;
  }

  ChannelLabels& labels_;
  ValueId x_;
  const Shape& in_;
  const Shape& out_;
  const std::string& reason_;
  std::vector<Labels> result_;
};

}  // namespace

std::vector<Labels> reshape_labels(const Node& node, ChannelLabels& labels, bool target_is_known,
                                   const std::string& reason) {
  return Reshaper(node, labels, reason).run(target_is_known);
}

}  // namespace xgen::ir
