#pragma once

#include <torch/types.h>

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/ir/graph.h"
#include "core/random.h"

namespace xgen::train {

using torch::Tensor;
using NamedTensors = std::vector<std::pair<std::string, Tensor>>;

/// Computes a node in place of the module, from its inputs (undefined where absent), one tensor for
/// each output; nothing leaves the node to the module. So quantization simulates exact integers:
/// numbers are of the module's type, also where an Autocast is on.
using NodeFunction = std::function<std::optional<std::vector<Tensor>>(
    const ir::Node& node, const std::vector<Tensor>& inputs)>;

/// Executes an ir::Graph with LibTorch, so that it can be differentiated and trained.
///
/// Images are kept in channels_last memory format, integers (shapes) on the CPU. No value is
/// updated in place. Not a torch::nn::Module: that forbids dots in names and would move the shapes
/// along.
class GraphModule {
 public:
  /// Copies the constants of `graph`. @param dtype of all floating-point values; kDouble for tests.
  explicit GraphModule(const ir::Graph& graph, torch::Device device = torch::kCPU,
                       torch::Dtype dtype = torch::kFloat);

  /// Computes the graph's outputs, in their order, of the module's type also under an Autocast.
  /// @param inputs  in the order of the graph's; moved to the device and the floating type.
  /// @throws InternalError when their number differs.
  std::vector<Tensor> forward(const std::vector<Tensor>& inputs);
  /// forward() of a graph with one input and one output.
  Tensor forward(const Tensor& input);
  /// Computes only what `names` need: outputs, intermediate values, inputs or constants.
  /// @throws InternalError for a name that the graph does not have.
  std::map<std::string, Tensor> forward_values(const std::vector<Tensor>& inputs,
                                               const std::vector<std::string>& names);
  /// The first node, in order, whose result holds NaN or infinity; null when none does.
  const ir::Node* first_non_finite(const std::vector<Tensor>& inputs);

  /// The constants of role `parameter`, by value name, in order of the graph; they require
  /// gradients. Those are the module's own tensors: change them in place, under NoGradGuard.
  const NamedTensors& parameters() const { return parameters_; }
  /// The constants of role `buffer`, likewise.
  const NamedTensors& buffers() const { return buffers_; }
  /// Parameters, then buffers.
  NamedTensors state() const;
  /// The parameter or buffer called `name`. @throws InternalError when there is none.
  Tensor tensor(const std::string& name) const;
  /// SHA-256 over state().
  std::string weights_hash() const;
  /// Overwrites parameters and buffers; `state` has the same names and shapes as state().
  void load_state(const NamedTensors& state);

  const ir::Graph& graph() const { return graph_; }
  /// The graph with the weights as they are now, of the types that they had.
  ir::Graph to_graph() const;

  /// Training: dropout drops and BatchNorm uses and updates statistics. A new module does not
  /// train.
  void train(bool on = true) { training_ = on; }
  bool is_training() const { return training_; }
  /// Whether BatchNorm nodes use batch statistics while training; on at first.
  void train_batch_norm(bool on) { train_batch_norm_ = on; }
  /// Share of the new value in running statistics, instead of the nodes' momentum.
  void set_batch_norm_momentum(std::optional<double> share) { batch_norm_momentum_ = share; }
  /// What dropout draws from: a stream per (step, node).
  void set_random(Random random, std::int64_t step) {
    random_ = random;
    step_ = step;
  }
  /// Replaces the function of nodes; an empty one restores the module's own.
  void set_node_function(NodeFunction function) { node_function_ = std::move(function); }

  torch::Device device() const { return device_; }
  torch::Dtype dtype() const { return dtype_; }

 private:
  friend class ForwardPass;

  std::vector<Tensor> run_node(const ir::Node& node, const std::vector<Tensor>& inputs);
  std::optional<std::vector<Tensor>> run_node_function(const ir::Node& node,
                                                       const std::vector<Tensor>& inputs);
  Tensor prepared(const Tensor& tensor) const;
  Tensor own_type(const Tensor& tensor) const;

  ir::Graph graph_;
  torch::Device device_;
  torch::Dtype dtype_;
  std::vector<Tensor> constants_;  ///< by value; undefined where computed.
  NamedTensors parameters_;
  NamedTensors buffers_;
  std::map<std::string, Tensor> by_name_;
  bool training_ = false;
  bool train_batch_norm_ = true;
  std::optional<double> batch_norm_momentum_;
  Random random_;
  std::int64_t step_ = 0;
  NodeFunction node_function_;
};

}  // namespace xgen::train
