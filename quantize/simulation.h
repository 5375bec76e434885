#pragma once

#include <torch/types.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/ir/graph.h"

namespace xgen::quantize {

/// Executes the integer part of a Q/DQ graph exactly as the compiled kernels do (core/reference/
/// integer.h), in tensors of integer-valued floats, with straight-through gradients: for QAT, and
/// for accuracy on integer-only graphs.
///
/// It computes node by node in place of a network's own functions; where it gives nothing, the
/// network's function is right. Between Q and the reader of DQ, tensors hold stored integers, not
/// real values; a pair with a reader that is computed in f32 holds real values. A convolution sums
/// integer-valued floats: exact in float while no sum can pass 2^24, else in double.
///
/// Scales of weights are computed from the live weights at each call; scales of activations are the
/// graph's. Gradients: rounding has slope 1, clipping 0 outside; scales are constants.
class IntegerSimulation {
 public:
  /// @param graph  from insert_qdq, or with baked weights; it is copied.
  explicit IntegerSimulation(const ir::Graph& graph);
  ~IntegerSimulation();
  IntegerSimulation(IntegerSimulation&&) noexcept;
  IntegerSimulation& operator=(IntegerSimulation&&) noexcept;

  /// The results of `node`, found by its name, from its inputs (undefined where absent).
  /// @throws UserError for a layer whose sums can leave int32, with its channel.
  std::optional<std::vector<torch::Tensor>> operator()(
      const ir::Node& node, const std::vector<torch::Tensor>& inputs) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace xgen::quantize
