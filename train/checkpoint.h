#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "train/graph_module.h"

namespace xgen::train {

/// The state of a stage between two steps.
struct Checkpoint {
  nlohmann::json meta;   ///< progress and identity; see stage.cpp.
  NamedTensors weights;  ///< parameters and buffers.
  NamedTensors optimizer;
  NamedTensors ema;    ///< empty without one.
  NamedTensors hooks;  ///< "HOOK/NAME".
};

void save_checkpoint(const std::filesystem::path& path, const Checkpoint& checkpoint);

/// @throws UserError when the file is missing, damaged, or not a checkpoint.
Checkpoint load_checkpoint(const std::filesystem::path& path);

/// SHA-256 over what makes two graphs train alike: nodes with their attributes, order and wiring,
/// and names, types and shapes of constants; not over the values of weights.
std::string structure_hash(const ir::Graph& graph);

/// @throws UserError which names the first tensor that is missing, new or of another shape.
void check_same_model(const std::filesystem::path& path, const NamedTensors& found,
                      const NamedTensors& expected);

}  // namespace xgen::train
