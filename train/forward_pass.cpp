#include "train/forward_pass.h"

#include <algorithm>

#include "core/error.h"

namespace xgen::train {

namespace {

constexpr int kKept = -2, kUnread = -1;  // of last readers

std::size_t at(ir::ValueId id) { return static_cast<std::size_t>(id); }

}  // namespace

ForwardPass::ForwardPass(GraphModule& module, const std::vector<Tensor>& inputs)
    : ForwardPass(module, inputs, module.graph().outputs()) {}

ForwardPass::ForwardPass(GraphModule& module, const std::vector<Tensor>& inputs,
                         std::vector<ir::ValueId> wanted)
    : module_(&module), wanted_(std::move(wanted)), values_(module.constants_) {
  const ir::Graph& graph = module.graph();
  XGEN_CHECK(inputs.size() == graph.inputs().size(), graph.name, " has ", graph.inputs().size(),
             " inputs, got ", inputs.size());
  for (std::size_t i = 0; i < inputs.size(); ++i)
    values_[at(graph.inputs()[i])] = module.prepared(inputs[i]);

  // Backwards: which nodes are needed, and which of them reads a value last. Without gradients the
  // memory of a value is free from there on.
  const auto& nodes = graph.nodes();
  needed_.resize(nodes.size());
  last_reader_.resize(values_.size(), kUnread);
  for (const ir::ValueId id : wanted_) last_reader_[at(id)] = kKept;
  for (std::size_t n = nodes.size(); n-- > 0;) {
    needed_[n] = std::any_of(nodes[n].outputs.begin(), nodes[n].outputs.end(),
                             [&](ir::ValueId id) { return last_reader_[at(id)] != kUnread; });
    if (needed_[n] == 0) continue;
    for (const ir::ValueId id : nodes[n].inputs) {
      if (id != ir::kNoValue && last_reader_[at(id)] == kUnread)
        last_reader_[at(id)] = static_cast<int>(n);
    }
  }
}

const ir::Node* ForwardPass::step() {
  const auto& nodes = module_->graph().nodes();
  while (next_ < nodes.size() && needed_[next_] == 0) ++next_;
  if (next_ == nodes.size()) return nullptr;
  const ir::Node& node = nodes[next_];
  node_inputs_.clear();
  for (const ir::ValueId id : node.inputs)
    node_inputs_.push_back(id == ir::kNoValue ? Tensor() : values_[at(id)]);
  const std::vector<Tensor> results = module_->run_node(node, node_inputs_);
  for (std::size_t i = 0; i < node.outputs.size(); ++i)
    values_[at(node.outputs[i])] = results.at(i);
  for (const ir::ValueId id : node.inputs) {
    if (id != ir::kNoValue && last_reader_[at(id)] == static_cast<int>(next_))
      values_[at(id)] = Tensor();
  }
  node_inputs_.clear();
  ++next_;
  return &node;
}

bool ForwardPass::is_ahead(const std::string& name) const {
  const ir::Graph& graph = module_->graph();
  const ir::Node* producer = graph.producer(graph.find(name));
  return producer != nullptr &&
         producer - graph.nodes().data() >= static_cast<std::ptrdiff_t>(next_);
}

Tensor ForwardPass::value(const std::string& name) {
  const ir::Graph& graph = module_->graph();
  const ir::ValueId id = graph.find(name);
  while (id != ir::kNoValue && !result(id).defined() && is_ahead(name)) step();
  XGEN_CHECK(id != ir::kNoValue && result(id).defined(), graph.name, " has no value \"", name,
             "\" at node ", next_);
  return module_->own_type(result(id));
}

std::vector<Tensor> ForwardPass::outputs() {
  while (step() != nullptr) {
  }
  std::vector<Tensor> results;
  for (const ir::ValueId id : wanted_) results.push_back(module_->own_type(result(id)));
  return results;
}

std::int64_t ForwardPass::bytes() const {
  std::int64_t sum = 0;
  for (std::size_t id = 0; id < values_.size(); ++id) {
    if (values_[id].defined() && !module_->constants_[id].defined())
      sum += static_cast<std::int64_t>(values_[id].nbytes());
  }
  return sum;
}

}  // namespace xgen::train
