#pragma once

#include <torch/types.h>

#include <map>
#include <string>
#include <vector>

#include "core/ir/graph.h"
#include "prune/plan.h"

namespace xgen::prune {

/// Live parameters by name of their value in the graph. Tensors are shared, not copied: what is
/// written is seen by the network that owns them.
using Params = std::map<std::string, torch::Tensor>;

/// The weights of `params`, for plan(). `params` outlives it.
WeightReader reader_of(const Params& params);

/// The mask of one layer.
struct LayerMask {
  WeightShape shape;
  bool transposed = false;  ///< the weight is stored as [c_in, c_out].
  Sparsity sparsity;
  torch::Tensor keep;  ///< bool, in the layout and on the device of the weight.
};

/// Projects a weight (float, any device; not modified) and gives the mask on the weight's device.
LayerMask project_weight(const torch::Tensor& weight, const PlannedLayer& layer);
/// The weight with filters first: [c_out, c_in, kh, kw], float, sharing memory where it can.
torch::Tensor logical_weight(const torch::Tensor& weight, const WeightShape& shape,
                             bool transposed);

/// What is kept of a network's weights; the one form of masks, whatever algorithm chose them.
class MaskSet {
 public:
  void set(const std::string& weight, LayerMask mask) { masks_[weight] = std::move(mask); }
  void erase(const std::string& weight) { masks_.erase(weight); }
  const std::map<std::string, LayerMask>& layers() const { return masks_; }
  bool empty() const { return masks_.empty(); }

  /// Writes +0 into every pruned weight, outside of autograd. To be called after each optimiser
  /// step: momentum and weight decay move pruned weights as well.
  void apply(const Params& params) const;
  /// Writes 0 into the gradients of pruned weights, where there are gradients, so that clipping by
  /// the norm of the gradient counts only what is trained.
  void apply_to_gradients(const Params& params) const;

  /// SHA-256 (hexadecimal) of names, shapes and positions of the pruned weights.
  std::string hash() const;
  /// The same of the pruned positions that are +0 in `params`: equal to hash() exactly when no
  /// pruned weight came back.
  std::string hash_of(const Params& params) const;

  /// All of it as tensors, for a checkpoint, and back. @throws UserError for tensors of another
  /// kind.
  Params state() const;
  void load(const Params& state);

  /// A copy of `graph` with the masks as annotations of the weights and zeros in their constants.
  ir::Graph annotate(ir::Graph graph) const;

 private:
  std::map<std::string, LayerMask> masks_;
};

/// One-shot pruning by magnitude: every planned layer keeps what the projection of its weights
/// keeps.
MaskSet magnitude_masks(const Params& params, const std::vector<PlannedLayer>& layers);
/// One-shot pruning by scores [c_out, c_in, kh, kw], by name of the weight.
MaskSet scored_masks(const Params& params, const Params& scores,
                     const std::vector<PlannedLayer>& layers);

}  // namespace xgen::prune
