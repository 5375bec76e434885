#include "prune/importance/importance.h"

/// Second order, by the diagonal: removing w raises the loss by h w^2 / 2, where h is taken to be
/// the mean square of the gradient (the diagonal of the empirical Fisher matrix).
///
/// Source: LeCun et al., Optimal Brain Damage, 1990.
namespace xgen::prune {

extern const Importance importance_hessian{.gradients = true, .scores = [](const Evidence& e) {
                                             return e.weight.square() * e.squared_gradient / 2;
                                           }};

}  // namespace xgen::prune
