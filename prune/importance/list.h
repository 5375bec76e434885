#pragma once

/// All importances: X(name in configs, what a weight's score is). Each is defined in the file that
/// its name says, as `importance_NAME`.
#define XGEN_IMPORTANCES(X)                                                            \
  X(l2, "the square of the weight")                                                    \
  X(l1, "the absolute weight")                                                         \
  X(taylor, "the absolute weight times its mean absolute gradient")                    \
  X(hessian, "the square of the weight times the mean square of its gradient, halved") \
  X(activation, "the square of the weight times the mean square of what it reads")     \
  X(geometric_median, "a share of the distances of its filter to the layer's others")  \
  X(batch_norm, "a share of the absolute scale of the batch norm that follows its filter")
