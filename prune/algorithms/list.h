#pragma once

/// All algorithms: X(name in configs, passes over the training data: 0 where it takes none, what it
/// does). Each is defined in the file that its name says, as `make_NAME`.
#define XGEN_ALGORITHMS(X)                                                                        \
  X(one_shot, false, "keeps what scores most, at once")                                           \
  X(admm, true, "training pulls the weights towards the scheme first (PatDNN, arXiv:2001.00138)") \
  X(gradual, true,                                                                                \
    "more and more is dropped while the network trains, by a cubic schedule (arXiv:1710.01878)")  \
  X(group_lasso, true,                                                                            \
    "training pulls weak blocks to zero, the weaker the harder (arXiv:2001.08357)")               \
  X(movement, true,                                                                               \
    "keeps what training moves away from zero; dropped weights may return (arXiv:2005.07683)")
