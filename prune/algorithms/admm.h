#pragma once

#include <string>
#include <vector>

#include "prune/masks.h"

namespace xgen::prune {

struct AdmmOptions {
  /// Penalties, taken one after the other over the updates, in equal shares.
  std::vector<double> rho{1e-4, 1e-3, 1e-2};
  int updates = 10;  ///< how many updates of Z and U there will be.
};

/// How far ADMM has come; both shrink as it converges.
struct AdmmResiduals {
  double primal = 0;  ///< |W - Z| / |W| over all layers.
  double dual = 0;    ///< rho |Z - Z before| / |W|.
  double rho = 0;     ///< in force until the next update.
};

/// Trains weights towards a constraint: min loss(W) + penalty, subject to W in the set of each
/// layer.
///
/// In turns, the owner of the training loop takes optimiser steps on loss + extra_loss(), which is
/// sum over layers of rho / 2 |W - Z + U|^2, and calls update(), usually after each epoch:
/// Z = projection of W + U, U = U + W - Z. Where rho changes, the scaled dual U is scaled by the
/// inverse. In the end masks() projects W. Patterns are fixed before, in the plan.
///
/// Source: PatDNN, arXiv:2001.00138, section 4.2; Boyd et al. 2011, sections 3.1.1 and 3.4.1.
class Admm {
 public:
  /// Starts at the weights as they are: Z = projection of W, U = 0.
  Admm(const Params& params, std::vector<PlannedLayer> layers, AdmmOptions options);

  /// A scalar to add to the loss, with gradients for the weights.
  torch::Tensor extra_loss(const Params& params) const;
  /// Updates Z and U.
  AdmmResiduals update(const Params& params);
  /// The masks of the weights as they are now.
  MaskSet masks(const Params& params) const { return magnitude_masks(params, layers_); }

  /// |W - Z| / |W| over all layers: how far the weights are from where they will be projected.
  double primal_residual(const Params& params) const;
  double rho() const;
  int updates_done() const { return done_; }

  /// Z, U and the count of updates, for a checkpoint, and back.
  /// @throws UserError when layers or shapes differ from this plan's.
  Params state() const;
  void load(const Params& state);

 private:
  struct Split {
    torch::Tensor z;
    torch::Tensor u;
  };
  std::vector<PlannedLayer> layers_;
  AdmmOptions options_;
  std::vector<Split> splits_;  ///< of each layer.
  int done_ = 0;
};

}  // namespace xgen::prune
