#pragma once

#include <cstddef>
#include <vector>

#include "codegen/program.h"

namespace xgen::lower {

/// Computes convolutions and the depthwise ones behind them in parts of the channels, in turn,
/// where all that lies between them is more than half of a core's own cache.
///
/// A channel of a depthwise convolution needs that channel alone of what it reads, so that a part
/// is used while it is in the cache, and the memory of a part serves all of them. Both steps become
/// as many steps as there are parts. (Linking and splitting of operators, as Xenos has it,
/// arXiv:2302.00282.) Comes before the memory plan.
///
/// @param buffer_bytes  of the program's buffers; those between a pair shrink to a part.
/// @param cache_bytes   0: every step stays whole.
void interleave_depthwise(Program& program, std::vector<std::size_t>& buffer_bytes,
                          std::size_t cache_bytes);

}  // namespace xgen::lower
