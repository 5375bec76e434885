#include "core/ir/graph.h"

#include <algorithm>
#include <iterator>
#include <numeric>

namespace xgen::ir {

ValueId Graph::add_value(Value value) {
  value.name = unique_value_name(value.name);
  const auto id = static_cast<ValueId>(values_.size());
  by_name_.emplace(value.name, id);
  values_.push_back(std::move(value));
  return id;
}

ValueId Graph::add_input(std::string input_name, TensorType type) {
  inputs_.push_back(add_value({std::move(input_name), std::move(type), nullptr, {}}));
  return inputs_.back();
}

ValueId Graph::add_constant(std::string constant_name, Constant constant) {
  return add_constant(std::move(constant_name),
                      std::make_shared<const Constant>(std::move(constant)));
}

ValueId Graph::add_constant(std::string constant_name, ConstantPtr constant) {
  TensorType type{constant->dtype, to_shape(constant->shape), {}};
  return add_value({std::move(constant_name), std::move(type), std::move(constant), {}});
}

ValueId Graph::add_node(std::string node_name, Op op, std::vector<ValueId> inputs) {
  std::string output = node_name;
  return add_node(std::move(node_name), std::move(op), std::move(inputs), std::move(output));
}

ValueId Graph::add_node(std::string node_name, Op op, std::vector<ValueId> inputs,
                        std::string output_name) {
  const ValueId out = add_value({std::move(output_name), {}, nullptr, {}});
  nodes_.push_back({std::move(node_name), std::move(op), std::move(inputs), {out}});
  return out;
}

void Graph::set_constant(ValueId id, Constant constant) {
  Value& v = value(id);
  XGEN_CHECK(v.constant != nullptr, "value \"", v.name, "\" is not a constant");
  v.type.dtype = constant.dtype;
  v.type.shape = to_shape(constant.shape);
  v.constant = std::make_shared<const Constant>(std::move(constant));
}

void Graph::remove_input(ValueId id) { std::erase(inputs_, id); }

ValueId Graph::find(const std::string& wanted) const {
  const auto it = by_name_.find(wanted);
  return it == by_name_.end() ? kNoValue : it->second;
}

const Node* Graph::find_node(const std::string& wanted) const {
  const auto it =
      std::find_if(nodes_.begin(), nodes_.end(), [&](const Node& n) { return n.name == wanted; });
  return it == nodes_.end() ? nullptr : &*it;
}

const Node* Graph::producer(ValueId id) const {
  for (const Node& n : nodes_) {
    if (std::find(n.outputs.begin(), n.outputs.end(), id) != n.outputs.end()) return &n;
  }
  return nullptr;
}

int Graph::use_count(ValueId id) const {
  auto uses = std::count(outputs_.begin(), outputs_.end(), id);
  for (const Node& n : nodes_) uses += std::count(n.inputs.begin(), n.inputs.end(), id);
  return static_cast<int>(uses);
}

std::string Graph::unique_value_name(const std::string& wanted) const {
  if (by_name_.count(wanted) == 0) return wanted;
  for (int n = 1;; ++n) {
    std::string candidate = str(wanted, "_", n);
    if (by_name_.count(candidate) == 0) return candidate;
  }
}

void Graph::replace_uses(ValueId from, ValueId to) {
  for (Node& n : nodes_) std::replace(n.inputs.begin(), n.inputs.end(), from, to);
  std::replace(outputs_.begin(), outputs_.end(), from, to);
}

Graph Graph::pruned() const& { return Graph(*this).pruned(); }

Graph Graph::pruned() && {
  std::vector<bool> read(values_.size(), false);
  const auto mark = [&](const std::vector<ValueId>& ids) {
    for (const ValueId id : ids) {
      if (id != kNoValue) read[static_cast<std::size_t>(id)] = true;
    }
  };
  mark(inputs_);
  mark(outputs_);
  std::vector<Node> live;  // the last one first
  live.reserve(nodes_.size());
  for (auto node = nodes_.rbegin(); node != nodes_.rend(); ++node) {
    const bool needed = std::any_of(node->outputs.begin(), node->outputs.end(), [&](ValueId out) {
      return out != kNoValue && read[static_cast<std::size_t>(out)];
    });
    if (!needed) continue;
    mark(node->inputs);
    mark(node->outputs);
    live.push_back(std::move(*node));
  }
  nodes_.assign(std::make_move_iterator(live.rbegin()), std::make_move_iterator(live.rend()));

  std::vector<ValueId> renamed(values_.size(), kNoValue);
  ValueId next = 0;
  for (std::size_t id = 0; id < values_.size(); ++id) {
    if (!read[id]) continue;
    const auto to = static_cast<std::size_t>(next);
    if (to != id) values_[to] = std::move(values_[id]);
    renamed[id] = next++;
  }
  values_.resize(static_cast<std::size_t>(next));
  const auto rename = [&](std::vector<ValueId>& ids) {
    for (ValueId& id : ids) {
      if (id != kNoValue) id = renamed[static_cast<std::size_t>(id)];
    }
  };
  for (Node& node : nodes_) {
    rename(node.inputs);
    rename(node.outputs);
  }
  rename(inputs_);
  rename(outputs_);
  for (auto& entry : by_name_) entry.second = renamed[static_cast<std::size_t>(entry.second)];
  std::erase_if(by_name_, [](const auto& entry) { return entry.second == kNoValue; });
  return std::move(*this);
}

UseMap::UseMap(const Graph& graph)
    : producer(graph.values().size(), -1), uses(graph.values().size(), 0) {
  const auto for_reads = [&](const auto& visit) {
    for (std::size_t n = 0; n < graph.nodes().size(); ++n) {
      for (const ValueId in : graph.nodes()[n].inputs) {
        if (in != kNoValue) visit(static_cast<std::size_t>(in), static_cast<int>(n));
      }
    }
  };
  for (std::size_t n = 0; n < graph.nodes().size(); ++n) {
    for (const ValueId out : graph.nodes()[n].outputs)
      producer[static_cast<std::size_t>(out)] = static_cast<int>(n);
  }
  for_reads([&](std::size_t value, int) { ++uses[value]; });
  // Where the next reader of a value goes; in the end, where the next value's readers begin.
  std::vector<std::size_t> next(uses.size() + 1, 0);
  std::partial_sum(uses.begin(), uses.end(), next.begin() + 1);
  readers.begins_ = next;
  readers.nodes_.resize(next.back());
  for_reads([&](std::size_t value, int node) { readers.nodes_[next[value]++] = node; });
  for (const ValueId out : graph.outputs()) ++uses[static_cast<std::size_t>(out)];
}

ValueId Patch::constant(std::string name, Constant constant) {
  return this->constant(std::move(name), std::make_shared<const Constant>(std::move(constant)));
}

ValueId Patch::constant(std::string name, ConstantPtr constant) {
  TensorType type{constant->dtype, to_shape(constant->shape), {}};
  new_values_.push_back({std::move(name), std::move(type), std::move(constant), {}});
  return first_new_ + static_cast<ValueId>(new_values_.size()) - 1;
}

ValueId Patch::constant(std::string name, Constant constant, std::optional<Sparsity> sparsity) {
  const ValueId id = this->constant(std::move(name), std::move(constant));
  new_values_.back().sparsity = std::move(sparsity);
  return id;
}

ValueId Patch::value(std::string name, TensorType type) {
  new_values_.push_back({std::move(name), std::move(type), nullptr, {}});
  return first_new_ + static_cast<ValueId>(new_values_.size()) - 1;
}

Patch& Patch::add(std::string name, Op op, std::vector<ValueId> inputs,
                  std::vector<ValueId> outputs) {
  add_.push_back({std::move(name), std::move(op), std::move(inputs), std::move(outputs)});
  return *this;
}

Patch& Patch::remove(const Node& node) {
  remove_.push_back(node.name);
  return *this;
}

Patch& Patch::replace(ValueId from, ValueId to) {
  replace_.emplace_back(from, to);
  return *this;
}

Patch& Patch::retype(ValueId id, TensorType type) {
  retype_.emplace_back(id, std::move(type));
  return *this;
}

Patch& Patch::set_sparsity(ValueId id, Sparsity sparsity) {
  new_values_.at(static_cast<std::size_t>(id - first_new_)).sparsity = std::move(sparsity);
  return *this;
}

void Patch::apply(Graph& graph) const {
  XGEN_CHECK(static_cast<std::size_t>(first_new_) == graph.values().size(),
             "a patch of another state of the graph");
  for (const Value& v : new_values_) {
    // Through the public interface, so that names stay unique.
    const ValueId id = v.constant != nullptr ? graph.add_constant(v.name, v.constant)
                                             : graph.add_node("", Op{}, {}, v.name);
    if (v.constant == nullptr) graph.mutable_nodes().pop_back();
    graph.value(id).type = v.type;
    graph.value(id).sparsity = v.sparsity;
  }
  auto& nodes = graph.mutable_nodes();
  const auto removed = [&](const Node& n) {
    return std::find(remove_.begin(), remove_.end(), n.name) != remove_.end();
  };
  const auto last = std::find_if(nodes.rbegin(), nodes.rend(), removed);
  XGEN_CHECK(last != nodes.rend() || add_.empty(), "a patch which adds nodes must remove one");
  if (last != nodes.rend()) nodes.insert(last.base(), add_.begin(), add_.end());
  std::erase_if(nodes, [&](const Node& n) {
    if (!removed(n)) return false;
    const bool is_new = std::any_of(add_.begin(), add_.end(), [&](const Node& a) {
      return a.name == n.name && a.outputs == n.outputs && a.op.index() == n.op.index() &&
             a.inputs == n.inputs;
    });
    return !is_new;
  });
  for (const auto& [from, to] : replace_) graph.replace_uses(from, to);
  for (const auto& [id, type] : retype_) graph.value(id).type = type;
}

Graph rewrite(Graph graph, const std::string& pass, const Rule& rule, int max_patches) {
  const std::size_t limit = 20 * graph.nodes().size() + 100;
  std::size_t applied = 0;
  bool changed = true;
  while (changed && (max_patches < 0 || applied < static_cast<std::size_t>(max_patches))) {
    changed = false;
    const UseMap uses(graph);
    for (const Node& node : graph.nodes()) {
      if (const std::optional<Patch> patch = rule(graph, uses, node)) {
        patch->apply(graph);
        changed = true;
        XGEN_CHECK(++applied < limit, pass, " does not terminate");
        break;
      }
    }
  }
  return std::move(graph).pruned();
}

}  // namespace xgen::ir
