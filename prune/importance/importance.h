#pragma once

#include <torch/types.h>

#include <string>

/// How much each weight of a layer matters: one file an importance, one line each in list.h.
namespace xgen::prune {

/// What is known of one layer, measured over some batches; what an importance does not need is
/// undefined. fp32, filters first whatever the operator stores.
struct Evidence {
  torch::Tensor weight;             ///< [c_out, c_in, kh, kw]
  torch::Tensor absolute_gradient;  ///< the same: mean of |dL/dw| over batches.
  torch::Tensor squared_gradient;   ///< the same: mean of (dL/dw)^2 over batches.
  torch::Tensor input_square;       ///< [c_in]: mean of x^2 over samples and positions.
  torch::Tensor batch_norm_scale;   ///< [c_out]: of the batch norm that follows.
};

struct Importance {
  bool gradients = false, inputs = false, batch_norm = false;  ///< what it needs.
  bool ranks_filters_only = false;  ///< the weights of one filter score alike.
  /// Scores of the shape of the weight, not negative. A block's score is the sum over its weights.
  torch::Tensor (*scores)(const Evidence& evidence) = nullptr;
};

/// By its name in configs. @throws InternalError for another.
const Importance& find_importance(const std::string& name);

}  // namespace xgen::prune
