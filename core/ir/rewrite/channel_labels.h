#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "core/disjoint_sets.h"
#include "core/ir/infer_shapes.h"

namespace xgen::ir {

/// Identities of channels. Two channels with one label can only be removed together.
using Labels = std::vector<int>;

/// Labels of every axis of every value of a graph: which slices of weights and activations stand
/// for the same channel.
///
/// A convolution's filters get fresh labels; element-wise operators unite those of their operands;
/// concat, slice, pad, reshape, transpose and gather move them. An axis without labels is fixed:
/// what meets it is pinned, which means that it cannot be removed, with the reason.
class ChannelLabels {
 public:
  /// @param graph  with shapes, after fold_constants, before quantization; outlives this.
  explicit ChannelLabels(const Graph& graph);

  /// Of one axis; empty where it is fixed. Labels are representatives: equal where united.
  Labels of(ValueId value, std::size_t axis) const;
  /// Why the channels with this label cannot be removed; empty where they can.
  const std::string& pinned(int label) const;
  int label_count() const { return static_cast<int>(sets_.size()); }

  // What the rules of channel_rules.cpp use.
  const Shape& shape(ValueId value) const { return *values_.at(index(value)).type.shape; }
  const std::vector<InferredValue>& values() const { return values_; }
  const Graph& graph() const { return graph_; }

  Labels fresh(std::size_t count);
  void unite(int a, int b);
  /// Both must be removed together, one by one; where one side is fixed, the other is pinned.
  void unite(const Labels& a, const Labels& b, const std::string& reason);
  void pin(const Labels& labels, const std::string& reason);
  /// Gives an axis its labels. What a constant's axis was given before is united with them.
  void assign(ValueId value, std::size_t axis, const Labels& labels, const std::string& reason);

 private:
  static std::size_t index(ValueId value) { return static_cast<std::size_t>(value); }
  int root(int label) const {
    return static_cast<int>(sets_.root(static_cast<std::size_t>(label)));
  }

  const Graph& graph_;
  std::vector<InferredValue> values_;
  std::vector<std::vector<std::optional<Labels>>> axes_;  ///< by value, by axis.
  DisjointSets sets_;                                     ///< of labels.
  std::vector<std::string> reasons_;                      ///< of representatives.
};

/// Labels of what `node` computes, from those of what it reads.
void label_node(const Node& node, ChannelLabels& labels);

}  // namespace xgen::ir
