#pragma once

#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cli/run/run_samples.h"
#include "cli/run/sample_walk.h"
#include "prune/plan.h"
#include "prune/repair.h"
#include "train/graph_module.h"

namespace xgen::cli {

/// How much the loss on held-back images grows when layers are pruned at once, their weights
/// repaired by least squares, nothing trained. What was measured is kept in a file, so that a
/// killed scan goes on.
class SensitivityScan {
 public:
  /// @param graph  the network before pruning.
  /// @param file   is written anew where it is about other weights.
  SensitivityScan(const RunSamples& run, const ir::Graph& graph, std::filesystem::path file);
  SensitivityScan(const SensitivityScan&) = delete;
  SensitivityScan& operator=(const SensitivityScan&) = delete;

  /// When this layer alone is pruned. @param option  names the way, for the file.
  double harm(const prune::PlannedLayer& layer, const std::string& option);

  struct Joint {
    double harm = 0;              ///< when all are pruned.
    std::vector<double> without;  ///< when all but this one are.
  };
  Joint joint_harm(const std::vector<prune::PlannedLayer>& layers);

 private:
  /// With the weights as they are now.
  double loss();
  /// The same where all that lies before a layer is dense.
  double loss_from(const ir::Node& layer);
  double mean_loss(const std::string& led_to, const std::string& ahead);
  torch::Tensor pruned(const prune::PlannedLayer& layer);

  train::GraphModule module_;  ///< dense, between calls.
  SampleWalk judged_, repaired_by_;
  std::filesystem::path file_;
  nlohmann::json known_;
  double dense_loss_ = 0;
  std::string repair_of_;  ///< the weight whose equations are held.
  std::unique_ptr<prune::Repair> repair_;
};

}  // namespace xgen::cli
