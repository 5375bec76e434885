#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/ir/graph.h"

namespace xgen::passes {

struct PipelineOptions {
  std::set<std::string> disabled;          ///< passes that are left out, by name.
  std::map<std::string, int> max_patches;  ///< stops a pass after this many rewrites.
  bool fold_values = true;                 ///< false: weights may hold anything in the result.
};

/// What one pass did.
struct PassRecord {
  std::string name;
  double seconds = 0;
  std::size_t nodes_before = 0, nodes_after = 0;
};

/// The names of all passes, in the order in which they run.
std::vector<std::string> pass_names();

/// Prepares a graph with static shapes for lowering: runs every pass of pipeline.cpp, verifying
/// after each. @throws UserError for an unknown pass name.
ir::Graph run_pipeline(ir::Graph graph, const PipelineOptions& options = {},
                       std::vector<PassRecord>* records = nullptr);

}  // namespace xgen::passes
