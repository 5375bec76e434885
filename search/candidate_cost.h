#pragma once

#include <cstdint>

#include "codegen/latency/table.h"
#include "core/ir/graph.h"
#include "core/target.h"

namespace xgen::search {

/// What a candidate costs, without training or running it.
struct CandidateCost {
  latency::Prediction latency;  ///< of one image, on one thread.
  std::int64_t macs = 0;        ///< those that its kernels do.
  std::int64_t parameters = 0;
  std::int64_t size_bytes = 0;  ///< of what is stored: weights and lists.
  std::int64_t peak_bytes = 0;  ///< that a caller provides for a run.
};

/// @throws UserError for a network that the target's kernels do not serve, or with symbols besides
/// the batch.
CandidateCost cost_of(const ir::Graph& network, const Target& target,
                      const latency::LatencyTable& table);

}  // namespace xgen::search
