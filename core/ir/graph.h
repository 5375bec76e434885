#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/ir/ops.h"
#include "core/ir/types.h"
#include "core/sparsity.h"

namespace xgen::ir {

using ValueId = std::int32_t;
inline constexpr ValueId kNoValue = -1;  ///< an optional input that is absent.

struct Value {
  std::string name;  ///< unique in the graph.
  TensorType type;
  ConstantPtr constant;              ///< null unless a constant.
  std::optional<Sparsity> sparsity;  ///< of a pruned weight; its zeros are in `constant` too.
};

struct Node {
  std::string name;  ///< unique in the graph.
  Op op;
  std::vector<ValueId> inputs;
  std::vector<ValueId> outputs;

  template <class T>
  const T* as() const {
    return std::get_if<T>(&op);
  }
  template <class T>
  T* as() {
    return std::get_if<T>(&op);
  }
  ValueId output() const { return outputs.front(); }
  /// Input `i`, or kNoValue when absent.
  ValueId input(std::size_t i) const { return i < inputs.size() ? inputs[i] : kNoValue; }
};

/// A model: values and the nodes which compute them, in static single assignment form and
/// topological order. The one representation of a model (DESIGN section 2). Copies share constants.
class Graph {
 public:
  std::string name = "model";

  ValueId add_input(std::string name, TensorType type);
  ValueId add_constant(std::string name, Constant constant);
  ValueId add_constant(std::string name, ConstantPtr constant);
  /// Appends a node with one output, named like the node; a taken name gets a suffix.
  ValueId add_node(std::string name, Op op, std::vector<ValueId> inputs);
  /// Appends a node with a named output.
  ValueId add_node(std::string name, Op op, std::vector<ValueId> inputs, std::string output_name);
  void set_outputs(std::vector<ValueId> outputs) { outputs_ = std::move(outputs); }

  const std::vector<ValueId>& inputs() const { return inputs_; }
  const std::vector<ValueId>& outputs() const { return outputs_; }
  const std::vector<Node>& nodes() const { return nodes_; }
  std::vector<Node>& mutable_nodes() { return nodes_; }
  const std::vector<Value>& values() const { return values_; }
  const Value& value(ValueId id) const { return values_.at(static_cast<std::size_t>(id)); }
  Value& value(ValueId id) { return values_.at(static_cast<std::size_t>(id)); }

  bool is_constant(ValueId id) const { return id != kNoValue && value(id).constant != nullptr; }
  /// The constant behind `id`, or null for kNoValue, an input or a computed value.
  const Constant* constant(ValueId id) const {
    return id == kNoValue ? nullptr : value(id).constant.get();
  }
  void set_constant(ValueId id, Constant constant);
  void remove_input(ValueId id);

  /// The value called `name`, or kNoValue.
  ValueId find(const std::string& name) const;
  /// The node called `name`, or null.
  const Node* find_node(const std::string& name) const;
  /// The node which computes `id`, or null for an input or a constant. Linear; see UseMap for
  /// passes.
  const Node* producer(ValueId id) const;
  /// How often `id` is read, by nodes and as a graph output. Linear.
  int use_count(ValueId id) const;
  std::string unique_value_name(const std::string& wanted) const;

  /// Replaces every read of `from`, outputs included, by `to`.
  void replace_uses(ValueId from, ValueId to);
  /// The graph without nodes whose results nothing reads and without values that nothing refers to.
  /// Ids of values change; names do not.
  Graph pruned() const&;
  Graph pruned() &&;

 private:
  ValueId add_value(Value value);

  std::vector<Value> values_;
  std::vector<Node> nodes_;
  std::vector<ValueId> inputs_;
  std::vector<ValueId> outputs_;
  std::map<std::string, ValueId> by_name_;
};

/// Who computes and who reads each value; made once per walk, invalid after a change.
class UseMap {
 public:
  explicit UseMap(const Graph& graph);

  /// Lists of nodes by value, one behind the other: a map is made for every patch of a rewrite.
  class Readers {
   public:
    std::span<const int> operator[](std::size_t value) const {
      return std::span(nodes_).subspan(begins_[value], begins_[value + 1] - begins_[value]);
    }

   private:
    friend class UseMap;
    std::vector<std::size_t> begins_;  // by value, and the end of the last one's
    std::vector<int> nodes_;
  };

  std::vector<int> producer;  ///< by value: index of the node, or -1.
  Readers readers;            ///< by value: indices of nodes, in order, one entry per read.
  std::vector<int> uses;      ///< reads by nodes and as a graph output.
};

/// A replacement of some nodes, recorded first and applied as a whole: a rule only reads the graph.
///
/// The nodes in `remove` go; `add` come in their place (at the position of the last of them); each
/// node of `add` reads and writes values by id, new ones being made by the patch itself.
class Patch {
 public:
  explicit Patch(const Graph& graph) : first_new_(static_cast<ValueId>(graph.values().size())) {}

  ValueId constant(std::string name, Constant constant);
  ValueId constant(std::string name, ConstantPtr constant);
  /// A weight which takes the place of a pruned one.
  ValueId constant(std::string name, Constant constant, std::optional<Sparsity> sparsity);
  ValueId value(std::string name, TensorType type = {});  ///< a new computed value.
  Patch& add(std::string name, Op op, std::vector<ValueId> inputs, std::vector<ValueId> outputs);
  Patch& remove(const Node& node);
  /// Every reader of `from` reads `to` instead.
  Patch& replace(ValueId from, ValueId to);
  /// Gives an existing value another type (shape, quantization) when the patch is applied.
  Patch& retype(ValueId id, TensorType type);
  /// Masks a constant that the patch made.
  Patch& set_sparsity(ValueId id, Sparsity sparsity);

  void apply(Graph& graph) const;

 private:
  ValueId first_new_;
  std::vector<Value> new_values_;
  std::vector<Node> add_;
  std::vector<std::string> remove_;
  std::vector<std::pair<ValueId, ValueId>> replace_;
  std::vector<std::pair<ValueId, TensorType>> retype_;
};

/// A rewrite rule: a patch for `node`, or nothing when the rule does not apply.
using Rule = std::function<std::optional<Patch>(const Graph&, const UseMap&, const Node&)>;

/// Applies `rule` until it applies nowhere or `max_patches` were applied, then drops what is dead.
Graph rewrite(Graph graph, const std::string& pass, const Rule& rule, int max_patches = -1);

}  // namespace xgen::ir
