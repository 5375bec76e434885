#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/ir/graph.h"
#include "search/composable_blocks.h"
#include "search/compression.h"
#include "search/shared_training.h"
#include "train/data/dataset.h"

namespace xgen::search {

/// How tuning blocks are trained.
///
/// Labels are not looked at, so neither is what says how to learn from them. `clip_norm` is of the
/// gradients of all blocks together, so with it a block depends on those beside it.
struct BlockTraining : SharedTraining {
  std::uint64_t seed = 1;
};

/// What became of the blocks that were trained.
struct BlockTrainingResult {
  /// Squared error of what a block computes over the variance of what it should compute, mean over
  /// the steps of the last epoch: 0 is the teacher's block, 1 no better than a constant.
  std::map<TuningBlock, double> errors;
  std::string weights_hash;  ///< SHA-256 over all weights.
};

/// Pruned blocks of one trained network, of which candidates are assembled instead of each being
/// trained from there by itself.
///
/// A block is trained to compute what the dense network, the teacher, computes in its place: it
/// reads the teacher's activations and follows the teacher's at its end, so that all blocks are
/// trained in one pass over the data, whatever stands before and behind them in a candidate. Its
/// layers are pruned by magnitude from the start and stay so; BatchNorm's statistics are its own.
///
/// Source: Wootz, Guan et al., PLDI 2019 (doi:10.1145/3314221.3314652).
class BlockLibrary {
 public:
  /// @param teacher      the network that `compression` is of, trained; it is not changed.
  /// @param compression  layer by layer. Layers that belong to no block, as other inputs of the
  ///                     network lead past them, stay the teacher's.
  /// @param device       "cpu" or "cuda".
  /// @throws UserError for "cuda" where there is none. @throws InternalError for compression of the
  /// network as a whole.
  BlockLibrary(const ir::Graph& teacher, const Compression& compression,
               const std::string& device = "cpu");
  ~BlockLibrary();

  const std::vector<NetworkBlock>& blocks() const;
  /// The tuning blocks that these candidates need and that were not trained yet.
  std::vector<TuningBlock> missing(const std::vector<Point>& points) const;

  /// Trains what is missing() together. Killed at any moment and resumed, it ends with the same
  /// weights, bit for bit, on the terms of train::train(). A block's weights do not depend on which
  /// others are trained with it, unless gradients are clipped.
  ///
  /// @param points  of the compression alone.
  /// @throws UserError for a checkpoint of other blocks, another teacher, other data or another
  /// config, and for weights that become NaN.
  /// @throws Interrupted after saving, when stop_requested says so.
  BlockTrainingResult train(const std::vector<Point>& points, const train::Dataset& data,
                            const BlockTraining& how);

  /// Whether assembled() can make this candidate, one that was not trained for included.
  bool covers(const Point& point) const;
  /// The teacher with the blocks of this candidate in their places. Pruned weights are 0 but not
  /// marked as such: pruning by magnitude (`one_shot`) with the same choices keeps exactly those
  /// that were trained.
  /// @throws InternalError where it is not covered.
  ir::Graph assembled(const Point& point) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace xgen::search
