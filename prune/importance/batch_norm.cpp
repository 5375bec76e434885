#include "prune/importance/importance.h"

/// The scale that a batch norm gives a filter's results.
///
/// Source: Liu et al., Network Slimming, arXiv:1708.06519.
namespace xgen::prune {

extern const Importance importance_batch_norm{
    .batch_norm = true, .ranks_filters_only = true, .scores = [](const Evidence& e) {
      const torch::Tensor scale = e.batch_norm_scale.abs() / e.weight[0].numel();
      return scale.view({-1, 1, 1, 1}).expand_as(e.weight).contiguous();
    }};

}  // namespace xgen::prune
