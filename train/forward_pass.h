#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "train/graph_module.h"

namespace xgen::train {

/// Samples on their way through a GraphModule. A pass can stop, and go on with weights that were
/// changed since; so can its copies, several times from one place. It holds what the nodes ahead of
/// it read.
class ForwardPass {
 public:
  /// Towards the graph's outputs. @param module  outlives the pass. @param inputs  as forward()
  /// takes them; may be held as they are.
  ForwardPass(GraphModule& module, const std::vector<Tensor>& inputs);
  /// Towards some values: what they do not need is left out.
  ForwardPass(GraphModule& module, const std::vector<Tensor>& inputs,
              std::vector<ir::ValueId> wanted);

  /// Computes the next node. @return null behind the last one.
  const ir::Node* step();
  /// What a node that was computed gave, as long as a node ahead reads it or nothing ever does.
  const Tensor& result(ir::ValueId id) const { return values_[static_cast<std::size_t>(id)]; }
  /// Whether the node that computes a value is still to come.
  bool is_ahead(const std::string& name) const;
  /// A value of the graph, of the module's type; goes on until it is there.
  /// @throws InternalError where it is not there any more, or nothing needs it.
  Tensor value(const std::string& name);
  /// Goes on to the end: what the pass is towards, of the module's type also under an Autocast.
  std::vector<Tensor> outputs();
  /// Of what it holds, besides constants of the module.
  std::int64_t bytes() const;

 private:
  GraphModule* module_;
  std::vector<ir::ValueId> wanted_;
  std::vector<Tensor> values_;  ///< by value; undefined: not yet, or not any more.
  std::vector<char> needed_;    ///< by node.
  std::vector<int> last_reader_;
  std::size_t next_ = 0;
  std::vector<Tensor> node_inputs_;
};

}  // namespace xgen::train
