#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "prune/config.h"
#include "prune/masks.h"

/// How the weights to keep are found: one file an algorithm, one line each in list.h.
namespace xgen::prune {

/// What an algorithm works on.
struct AlgorithmContext {
  Params params;  ///< live: what is written is seen by the network.
  std::vector<PlannedLayer> layers;
  AlgorithmConfig config;
  std::int64_t steps = 0;  ///< of the training that it takes part in; 0 where it takes none.
  /// Scores of the weights as they are, [c_out, c_in, kh, kw] by name, by the config's importance.
  std::function<Params()> scores;
};

/// Takes part in training, then says what to keep. All calls on the training thread.
class Algorithm {
 public:
  virtual ~Algorithm() = default;

  /// Once, before the first step; not when a run goes on, where load() comes instead.
  virtual void begin() {}
  /// Added to the loss of a step; undefined: nothing.
  virtual torch::Tensor extra_loss() { return {}; }
  /// After the optimiser's step number `step`, from 0; gradients are still those of the step.
  virtual void after_step(std::int64_t /*step*/) {}
  virtual void after_epoch() {}
  /// What to keep of the weights as they are in the end.
  virtual MaskSet masks() = 0;
  /// How it goes, by name, for people: residuals, shares of what is dropped.
  virtual std::map<std::string, double> figures() const { return {}; }

  /// Everything that decides what it does next, for a checkpoint, and back.
  /// @throws UserError when a checkpoint holds something else.
  virtual Params state() const { return {}; }
  virtual void load(const Params& /*state*/) {}
};

/// By the config's name. @throws InternalError for another.
std::unique_ptr<Algorithm> make_algorithm(AlgorithmContext context);
/// Whether an algorithm takes part in training.
bool trains(const std::string& name);

/// A tensor of a checkpoint. @throws UserError where it is absent or has another shape.
torch::Tensor restored(const Params& state, const std::string& key, const torch::Tensor& like);

}  // namespace xgen::prune
