#pragma once

#include <string>
#include <type_traits>

#include "cli/config.h"
#include "core/error.h"
#include "core/ir/graph.h"
#include "prune/layers.h"
#include "prune/rates.h"

namespace xgen::cli {

/// Refuses what a prune stage of the config cannot do to the network that the run starts from, so
/// that nothing is trained for it.
///
/// @param initial  with shapes.
/// @throws UserError with the config's file and the place of the stage.
void check_prune_stages(const LoadedConfig& loaded, const ir::Graph& initial);

/// The rates that a stage names; not those that it chooses. @throws UserError, with the place.
prune::Rates wanted_rates(const LoadedConfig& loaded, const PruneStage& stage,
                          const std::vector<prune::Layer>& layers);

/// "FILE: /stages/1: "
std::string place_of(const LoadedConfig& loaded, const std::string& stage);

/// What `f` returns; where it refuses something, the place of the stage stands in front.
template <class Function>
std::invoke_result_t<Function> at_stage(const LoadedConfig& loaded, const std::string& stage,
                                        const Function& f) {
  try {
    return f();
  } catch (const UserError& error) {
    throw UserError(place_of(loaded, stage) + error.what());
  }
}

}  // namespace xgen::cli
