#include "prune/importance/importance.h"

/// First order: removing w changes the loss by about dL/dw * w, of either sign in each batch.
///
/// Source: Molchanov et al., arXiv:1906.10771.
namespace xgen::prune {

extern const Importance importance_taylor{.gradients = true, .scores = [](const Evidence& e) {
                                            return (e.weight * e.absolute_gradient).abs();
                                          }};

}  // namespace xgen::prune
