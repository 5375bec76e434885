#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "train/config.h"
#include "train/graph_module.h"

namespace xgen::train {

/// What a training run's weights depend on (DESIGN section 1, law 4), as it is kept in checkpoints.
struct TrainingIdentity {
  std::string model_hash;      ///< structure_hash of the graph.
  std::string data_hash;       ///< of the training samples, in order.
  nlohmann::json config;       ///< resolved, with epochs, seed, normalize and augment.
  nlohmann::json environment;  ///< LibTorch, CPU, threads, device.

  nlohmann::json to_json() const;
};

nlohmann::json training_environment(const GraphModule& module, int threads);

/// Refuses to go on with another model, other data or another config; another environment only
/// changes the last bits.
///
/// @returns notes on differences of the environment. @throws UserError which names the difference.
std::vector<std::string> check_identity(const std::filesystem::path& path,
                                        const nlohmann::json& saved,
                                        const TrainingIdentity& current);

}  // namespace xgen::train
