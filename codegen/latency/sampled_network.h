#pragma once

#include "core/ir/graph.h"
#include "core/random.h"

namespace xgen::latency {

/// A small network whose kernels are measured to fit a latency model: some layers one after
/// another, dense or with seeded masks, of sizes that networks for images have, with operators
/// between them; or one of the rarer operators alone. Already in the form that lowering takes.
ir::Graph sampled_network(RandomStream& random);

}  // namespace xgen::latency
