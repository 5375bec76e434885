#pragma once

#include <functional>
#include <string>
#include <vector>

#include "cli/run/sample_batches.h"
#include "train/forward_pass.h"

namespace xgen::cli {

/// Samples on their way through networks, from layer to layer: what lies before a layer is computed
/// once for all layers behind it.
class SampleWalk {
 public:
  static constexpr std::int64_t kMostBytes = std::int64_t{1} << 30;

  /// A batch on its way.
  struct Step {
    std::vector<train::ForwardPass> passes;  ///< one a network.
    torch::Tensor labels;
  };
  using See = std::function<void(Step&)>;

  /// @param networks    outlive the walk; they do not train from here on.
  /// @param most_bytes  that passes hold; beyond it they begin at the images again each time.
  SampleWalk(std::vector<train::GraphModule*> networks, SampleBatches batches,
             std::int64_t most_bytes = kMostBytes);

  /// Shows each batch where it stands, which is before the node of each network that computes a
  /// value of this name: as far as the last visit led it, or at the images.
  void visit(const std::string& value, const See& see);
  /// All batches begin at the images again, as weights have changed that they have passed.
  void restart() { steps_.clear(); }

  train::GraphModule& first() const { return *networks_.front(); }
  train::GraphModule& last() const { return *networks_.back(); }

 private:
  void begin_all(const See& see);
  Step begin(train::Batch& batch) const;

  std::vector<train::GraphModule*> networks_;
  SampleBatches batches_;
  std::int64_t most_bytes_;
  std::vector<Step> steps_;  ///< none: they begin.
};

}  // namespace xgen::cli
