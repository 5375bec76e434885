#include "train/graph_module.h"

#include <algorithm>
#include <variant>

#include "train/autocast.h"
#include "train/forward_pass.h"
#include "train/ops/node_call.h"
#include "train/tensors.h"

namespace xgen::train {

GraphModule::GraphModule(const ir::Graph& graph, torch::Device device, torch::Dtype dtype)
    : graph_(graph), device_(device), dtype_(dtype), constants_(graph.values().size()) {
  std::map<const ir::Constant*, Tensor> shared;  // one constant under two names is one parameter
  for (std::size_t id = 0; id < graph.values().size(); ++id) {
    const ir::Value& value = graph.values()[id];
    if (value.constant == nullptr) continue;
    const ir::Role role = value.constant->role;
    Tensor& tensor = shared[value.constant.get()];
    const bool is_new = !tensor.defined();
    if (is_new) tensor = prepared(to_tensor(*value.constant)).clone();
    constants_[id] = tensor;
    if (role == ir::Role::fixed) continue;
    by_name_[value.name] = tensor;
    if (!is_new) continue;
    if (role == ir::Role::parameter) tensor.requires_grad_(true);
    (role == ir::Role::parameter ? parameters_ : buffers_).emplace_back(value.name, tensor);
  }
}

Tensor GraphModule::prepared(const Tensor& tensor) const {
  if (!tensor.is_floating_point()) return tensor;
  Tensor moved = tensor.to(device_, dtype_);
  return moved.dim() == 4 ? moved.contiguous(torch::MemoryFormat::ChannelsLast) : moved;
}

// What autocasting made of a value goes back to the module's type.
Tensor GraphModule::own_type(const Tensor& tensor) const {
  return tensor.defined() && tensor.is_floating_point() ? tensor.to(dtype_) : tensor;
}

std::vector<Tensor> GraphModule::forward(const std::vector<Tensor>& inputs) {
  return ForwardPass(*this, inputs).outputs();
}

Tensor GraphModule::forward(const Tensor& input) {
  XGEN_CHECK(graph_.outputs().size() == 1, graph_.name, " has ", graph_.outputs().size(),
             " outputs");
  return forward(std::vector<Tensor>{input}).front();
}

std::map<std::string, Tensor> GraphModule::forward_values(const std::vector<Tensor>& inputs,
                                                          const std::vector<std::string>& names) {
  std::vector<ir::ValueId> wanted;
  for (const std::string& name : names) {
    wanted.push_back(graph_.find(name));
    XGEN_CHECK(wanted.back() != ir::kNoValue, graph_.name, " has no value \"", name, '"');
  }
  const std::vector<Tensor> results = ForwardPass(*this, inputs, wanted).outputs();
  std::map<std::string, Tensor> by_name;
  for (std::size_t i = 0; i < names.size(); ++i) by_name[names[i]] = results[i];
  return by_name;
}

const ir::Node* GraphModule::first_non_finite(const std::vector<Tensor>& inputs) {
  const torch::NoGradGuard no_grad;
  ForwardPass pass(*this, inputs);
  while (const ir::Node* node = pass.step()) {
    for (const ir::ValueId id : node->outputs) {
      const Tensor& y = pass.result(id);
      if (y.is_floating_point() && !at::isfinite(y).all().item<bool>()) return node;
    }
  }
  return nullptr;
}

std::vector<Tensor> GraphModule::run_node(const ir::Node& node, const std::vector<Tensor>& inputs) {
  if (node_function_) {
    if (auto results = run_node_function(node, inputs)) return *std::move(results);
  }
  const auto is_buffer = [&](std::size_t i) {
    const ir::Constant* constant = graph_.constant(node.input(i));
    return constant != nullptr && constant->role == ir::Role::buffer;
  };
  NodeCall call{node, inputs};
  call.training = training_;
  call.batch_statistics = training_ && train_batch_norm_ && node.as<ir::BatchNorm>() != nullptr &&
                          is_buffer(3) && is_buffer(4);
  call.batch_norm_momentum = batch_norm_momentum_.value_or(-1);
  call.random = random_.stream("dropout", step_, node.name);
  try {
    return {std::visit([&](const auto& op) { return compute(op, call); }, node.op)};
  } catch (const c10::Error& error) {
    throw InternalError(str("node \"", node.name, "\" (", ir::op_name(node.op),
                            "): ", error.what_without_backtrace()));
  }
}

std::optional<std::vector<Tensor>> GraphModule::run_node_function(
    const ir::Node& node, const std::vector<Tensor>& inputs) {
  const Autocast off(device_, false);
  std::vector<Tensor> own;
  std::transform(inputs.begin(), inputs.end(), std::back_inserter(own),
                 [this](const Tensor& input) { return own_type(input); });
  return node_function_(node, own);
}

NamedTensors GraphModule::state() const {
  NamedTensors all = parameters_;
  all.insert(all.end(), buffers_.begin(), buffers_.end());
  return all;
}

Tensor GraphModule::tensor(const std::string& name) const {
  const auto it = by_name_.find(name);
  XGEN_CHECK(it != by_name_.end(), graph_.name, " has no parameter or buffer \"", name, '"');
  return it->second;
}

std::string GraphModule::weights_hash() const { return hash_of(state()); }

void GraphModule::load_state(const NamedTensors& state) {
  const torch::NoGradGuard no_grad;
  XGEN_CHECK(state.size() == parameters_.size() + buffers_.size(), "a state of ", state.size(),
             " tensors");
  for (const auto& [name, source] : state) {
    Tensor target = tensor(name);
    XGEN_CHECK(target.sizes() == source.sizes(), '"', name, "\" has another shape");
    target.copy_(source);
  }
}

ir::Graph GraphModule::to_graph() const {
  ir::Graph graph = graph_;
  std::map<const void*, ir::ConstantPtr> shared;
  for (std::size_t i = 0; i < constants_.size(); ++i) {
    const auto id = static_cast<ir::ValueId>(i);
    const ir::ConstantPtr old = graph.value(id).constant;
    if (old == nullptr || old->role == ir::Role::fixed) continue;
    ir::ConstantPtr& current = shared[constants_[i].unsafeGetTensorImpl()];
    if (current == nullptr) {
      current = std::make_shared<const ir::Constant>(
          to_constant(constants_[i].detach().to(to_torch(old->dtype)), old->role));
    }
    graph.value(id).constant = current;
  }
  return graph;
}

}  // namespace xgen::train
