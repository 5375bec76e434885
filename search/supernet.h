#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "core/ir/graph.h"
#include "search/shared_training.h"
#include "search/spaces/macro.h"
#include "train/data/dataset.h"

namespace xgen::search {

/// How a supernet is trained.
struct SupernetTraining : SharedTraining {
  int random_paths = 2;  ///< in each step, besides the largest and the smallest.
  /// In-place distillation: all paths but the largest learn from its logits of the same step as
  /// well, by training.distill_weight and training.distill_temperature.
  bool distill = false;
};

/// What BatchNorm's statistics are measured on: images without augmentation, in shuffled order.
struct Calibration {
  train::Dataset data;
  train::NormalizeConfig normalize;
  std::int64_t batch_size = 128;
  std::int64_t batches = 4;  ///< fewer where the data end before.
};

/// The weights of all candidates of a space at once: those of a block in its place belong to all
/// candidates that take it there, those before and after the blocks to every one. After one
/// training each candidate can be judged by what it inherits.
///
/// A step trains the candidate of most multiply-adds, the one of fewest and some that are drawn
/// uniformly (the sandwich rule); their gradients are summed, so a learning rate that suits one
/// network may be too large. Blocks that no path of a step takes stay as they are.
///
/// Source: single paths, Guo et al., ECCV 2020 (arXiv:1904.00420); the sandwich rule and in-place
/// distillation, Yu and Huang, ICCV 2019 (arXiv:1903.05134).
class Supernet {
 public:
  /// Initialises each weight as the candidates' own networks are, from `seed`.
  /// @param device  "cpu" or "cuda". @throws UserError for "cuda" where there is none.
  Supernet(const MacroSpace& space, std::uint64_t seed, const std::string& device = "cpu");
  ~Supernet();

  /// Killed at any moment and resumed, it ends with the same weights, bit for bit, on the terms of
  /// train::train(); the paths of a step follow from the seed and its number alone.
  ///
  /// @return SHA-256 over all weights.
  /// @throws UserError for images that do not fit the space, for a checkpoint of another space,
  /// other data or another config, and for weights that become NaN.
  /// @throws Interrupted after saving, when stop_requested says so.
  std::string train(const train::Dataset& data, const SupernetTraining& how);

  /// The network of a candidate with the weights that it inherits, to evaluate or to train on.
  /// BatchNorm's statistics are its own: those of a block differ with what comes before it.
  /// @throws InternalError for a point of another space and for a calibration without images.
  ir::Graph candidate(const Point& point, const Calibration& calibration) const;
  /// The share of `samples` that the candidate tells right, in [0, 1].
  double accuracy(const Point& point, const Calibration& calibration,
                  const train::Dataset& samples) const;

  const Point& largest() const;
  const Point& smallest() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace xgen::search
