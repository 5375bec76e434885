#include "prune/importance/importance.h"

/// A filter near the geometric median of its layer's filters can be replaced by the others: it
/// scores the sum of its distances to them, shared out among its weights.
///
/// Source: He et al., FPGM, arXiv:1811.00250.
namespace xgen::prune {

extern const Importance importance_geometric_median{
    .ranks_filters_only = true, .scores = [](const Evidence& e) {
      const torch::Tensor filters = e.weight.flatten(1);
      const torch::Tensor distance = torch::cdist(filters, filters).sum(1);
      return (distance / filters.size(1)).view({-1, 1, 1, 1}).expand_as(e.weight).contiguous();
    }};

}  // namespace xgen::prune
