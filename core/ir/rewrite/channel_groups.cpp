#include "core/ir/rewrite/channel_groups.h"

#include <map>
#include <set>

#include "core/disjoint_sets.h"
#include "core/ir/rewrite/channel_labels.h"

namespace xgen::ir {

namespace {

/// The axis of a node's second input along which its filters lie, or -1.
int filter_axis(const Node& node) {
  if (node.as<Conv>()) return 0;
  if (const auto* gemm = node.as<Gemm>()) return gemm->trans_b ? 0 : 1;
  return node.as<MatMul>() ? 1 : -1;
}

}  // namespace

std::vector<ChannelGroup> channel_groups(const Graph& graph) {
  const ChannelLabels labels(graph);

  std::vector<ChannelUnit> units(static_cast<std::size_t>(labels.label_count()));
  for (std::size_t l = 0; l < units.size(); ++l) {
    units[l].label = static_cast<int>(l);
    units[l].pinned = labels.pinned(static_cast<int>(l));
  }

  // Labels that one node's filters have belong to one group.
  DisjointSets group_of(units.size());
  const auto root = [&](int l) { return group_of.root(static_cast<std::size_t>(l)); };
  std::set<std::pair<ValueId, int>> filter_axes;
  std::vector<std::pair<std::string, int>> producers;  // with one of its labels
  for (const Node& node : graph.nodes()) {
    const int axis = filter_axis(node);
    if (axis < 0 || !graph.is_constant(node.inputs[1])) continue;
    const Labels filters = labels.of(node.inputs[1], static_cast<std::size_t>(axis));
    if (filters.empty()) continue;
    filter_axes.insert({node.inputs[1], axis});
    producers.emplace_back(node.name, filters[0]);
    for (const int l : filters)
      group_of.join(static_cast<std::size_t>(filters[0]), static_cast<std::size_t>(l));
  }

  for (std::size_t v = 0; v < graph.values().size(); ++v) {
    const auto id = static_cast<ValueId>(v);
    if (!graph.is_constant(id)) continue;
    for (std::size_t axis = 0; axis < graph.constant(id)->shape.size(); ++axis) {
      const Labels along = labels.of(id, axis);
      for (std::size_t i = 0; i < along.size(); ++i) {
        ChannelUnit& unit = units[static_cast<std::size_t>(along[i])];
        const ConstantSlice slice{id, static_cast<int>(axis), static_cast<int>(i)};
        const bool filter = filter_axes.count({id, static_cast<int>(axis)}) != 0;
        (filter ? unit.filters : unit.others).push_back(slice);
      }
    }
  }

  std::map<std::size_t, ChannelGroup> groups;
  for (const auto& [node, label] : producers) groups[root(label)].producers.push_back(node);
  for (ChannelUnit& unit : units) {
    const auto group = groups.find(root(unit.label));
    if (group != groups.end() && !unit.filters.empty())
      group->second.units.push_back(std::move(unit));
  }
  std::vector<ChannelGroup> ordered;
  for (auto& [label, group] : groups) ordered.push_back(std::move(group));
  return ordered;
}

}  // namespace xgen::ir
